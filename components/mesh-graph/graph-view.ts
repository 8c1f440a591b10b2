import cytoscape, { type Core, type EventObject, type NodeSingular } from "cytoscape";
import type { Graph } from "../../server/contract/index.ts";
import { distanceTo } from "./curve.ts";
import type { Direction, Point } from "./layout.ts";
import { type Emphasis, paintScene, type View } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { Particles, paintParticles } from "./particles.ts";
import { buildScene, type Scene, type SceneEdge, type SceneText } from "./scene.ts";

export interface GraphViewHost {
  /** Cytoscape's element: takes the pointer. The canvases lie below it, in this order. */
  surface: HTMLElement;
  base: HTMLCanvasElement;
  particles: HTMLCanvasElement;
  onSelect: (id: string | null) => void;
  /** A node was dragged to a new place. */
  onMove: (moved: ReadonlyMap<string, Point>) => void;
}

const frameMs = 1000 / 30;
const styleSheet = [
  { selector: "node", style: { opacity: 0, width: "data(size)", height: "data(size)" } },
  { selector: "node:parent", style: { shape: "rectangle", padding: "24px" } },
  { selector: "edge", style: { display: "none" } },
  { selector: "core", style: { "active-bg-opacity": 0, "selection-box-opacity": 0 } },
];

/**
 * The living graph. Cytoscape holds the model and the viewport and knows what is under the pointer; it draws nothing. The drawing is our
 * own, on two canvases: the graph, redrawn when something changed, and the particles above it, 30 times a second at most.
 */
export class GraphView {
  private readonly host: GraphViewHost;
  private readonly cy: Core;
  private readonly flying = new Particles();
  private readonly resize: ResizeObserver;
  private graph: Pick<Graph, "nodes" | "edges"> = { nodes: [], edges: [] };
  private points = new Map<string, Point>();
  private text: SceneText = { name: () => "", sub: () => "", labels: () => [] };
  private scene: Scene = buildScene({ nodes: [], edges: [] }, new Map(), this.text);
  private edges = new Map<string, SceneEdge>();
  private direction: Direction = "right";
  private palette: Palette | null = null;
  private emphasis: Pick<Emphasis, "selected" | "lit"> = { selected: null, lit: null };
  private hovered: string | null = null;
  private path: ReadonlySet<string> | null = null;
  private animate = false;
  private dirty = true;
  private frame = 0;
  private lastFrameAt = 0;
  /** Until the person moves the view, it follows the graph's size. */
  private untouched = true;

  constructor(host: GraphViewHost) {
    this.host = host;
    this.cy = cytoscape({
      container: host.surface,
      style: styleSheet as unknown as cytoscape.StylesheetJson,
      minZoom: 0.04,
      maxZoom: 2.5,
      boxSelectionEnabled: false,
      autounselectify: true,
      selectionType: "single",
    });
    this.listen();
    this.resize = new ResizeObserver(() => this.onResize());
    this.resize.observe(host.surface);
    document.addEventListener("visibilitychange", this.wake);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    document.removeEventListener("visibilitychange", this.wake);
    this.resize.disconnect();
    this.cy.destroy();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.redraw();
  }

  setAnimate(on: boolean): void {
    this.animate = on;
    this.flying.clear();
    this.redraw();
  }

  setDirection(direction: Direction): void {
    this.direction = direction;
  }

  setEmphasis(emphasis: Pick<Emphasis, "selected" | "lit">): void {
    this.emphasis = emphasis;
    this.redraw();
  }

  /** New data: sizes and colours change, nothing moves but what `points` says. */
  setGraph(graph: Pick<Graph, "nodes" | "edges">, points: ReadonlyMap<string, Point>, text: SceneText): void {
    this.graph = graph;
    this.points = new Map(points);
    this.text = text;
    this.rebuild();
    this.syncModel();
    if (this.untouched) this.fit();
  }

  fit(): void {
    this.untouched = true;
    const { bounds } = this.scene;
    const [width, height] = [this.cy.width(), this.cy.height()];
    if (width === 0 || height === 0 || this.graph.nodes.length === 0) return;
    // Room for the toolbar above (two lines on a phone) and the tools below.
    const phone = width < 560;
    const [top, bottom, left, right] = phone ? [84, 40, 6, 6] : [56, 24, 56, 24];
    const zoom = Math.min((width - left - right) / bounds.width, (height - top - bottom) / bounds.height, 1.15);
    this.cy.viewport({
      zoom,
      pan: {
        x: left + (width - left - right - bounds.width * zoom) / 2 - bounds.x * zoom,
        y: top + (height - top - bottom - bounds.height * zoom) / 2 - bounds.y * zoom,
      },
    });
    this.untouched = true;
    this.redraw();
  }

  zoomBy(factor: number): void {
    this.untouched = false;
    this.cy.zoom({
      level: this.cy.zoom() * factor,
      renderedPosition: { x: this.cy.width() / 2, y: this.cy.height() / 2 },
    });
  }

  /** The whole graph at twice its size, with the page's background. */
  exportPng(): Promise<Blob | null> {
    const { bounds } = this.scene;
    const margin = 24;
    const scale = Math.min(2, 8000 / (bounds.width + 2 * margin), 8000 / (bounds.height + 2 * margin));
    const canvas = document.createElement("canvas");
    canvas.width = (bounds.width + 2 * margin) * scale;
    canvas.height = (bounds.height + 2 * margin) * scale;
    const ctx = canvas.getContext("2d");
    if (!ctx || !this.palette) return Promise.resolve(null);
    const pan = { x: margin - bounds.x, y: margin - bounds.y };
    const view = { zoom: 1, pan, width: bounds.width + 2 * margin, height: bounds.height + 2 * margin, dpr: scale };
    paintScene(ctx, this.scene, view, this.palette, { selected: null, hovered: null, lit: null });
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalCompositeOperation = "destination-over";
    ctx.fillStyle = this.palette.bg;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** Lights a node's or call's whole path, as hovering does. Null: nothing. */
  hover(id: string | null): void {
    if (id === this.hovered) return;
    this.hovered = id;
    this.path = id === null ? null : this.pathOf(id);
    this.host.surface.style.cursor = id === null ? "" : "pointer";
    this.redraw();
  }

  /** The element with everything upstream and downstream of it; a box stands for its nodes. */
  private pathOf(id: string): ReadonlySet<string> | null {
    const edge = this.cy.edges().filter((one) => one.id() === id);
    const node = this.cy.nodes().filter((one) => one.id() === id);
    const seeds = edge.nonempty() ? edge.connectedNodes() : node.isParent() ? node.children() : node;
    if (seeds.empty()) return null;
    const [from, to] = edge.nonempty() ? [edge.sources(), edge.targets()] : [seeds, seeds];
    const path = seeds.union(edge).union(from.predecessors()).union(to.successors());
    return new Set(path.map((one) => one.id()));
  }

  private listen(): void {
    const { cy } = this;
    cy.on("tap", (event) => this.host.onSelect(this.hit(event)));
    cy.on("mouseover", "node", (event) => this.hover(event.target.id()));
    cy.on("mouseout", "node", () => this.hover(null));
    cy.on("mousemove", (event) => {
      if (event.target === cy) this.hover(this.edgeAt(event.position));
    });
    cy.on("pan zoom", () => this.redraw());
    cy.on("scrollzoom dragpan pinchzoom", () => {
      this.untouched = false;
    });
    cy.on("drag", "node", (event) => this.follow(event.target));
    cy.on("dragfree", "node", (event) => {
      this.untouched = false;
      this.host.onMove(this.follow(event.target));
    });
    this.host.surface.addEventListener("pointerleave", () => this.hover(null));
  }

  private hit(event: EventObject): string | null {
    if (event.target !== this.cy) return event.target.id();
    return this.edgeAt(event.position);
  }

  private edgeAt(point: Point): string | null {
    const reach = 10 / this.cy.zoom();
    let best: { id: string; distance: number } | null = null;
    for (const { id, curve } of this.scene.edges) {
      const distance = distanceTo(curve, point, reach);
      if (distance < (best?.distance ?? reach)) best = { id, distance };
    }
    return best?.id ?? null;
  }

  /** A drag: the moved node's (or box's nodes') places become ours. */
  private follow(target: NodeSingular): ReadonlyMap<string, Point> {
    const nodes = target.isParent() ? target.children() : target;
    const moved = new Map(nodes.map((node) => [node.id(), { ...(node as NodeSingular).position() }]));
    for (const [id, point] of moved) this.points.set(id, point);
    this.rebuild();
    return moved;
  }

  private rebuild(): void {
    this.scene = buildScene(this.graph, this.points, this.text, this.direction);
    this.edges = new Map(this.scene.edges.map((edge) => [edge.id, edge]));
    this.redraw();
  }

  /** Brings cytoscape's model to the scene's, touching only what differs. */
  private syncModel(): void {
    const wanted = new Set([...this.graph.nodes.map(({ id }) => id), ...this.edges.keys()]);
    for (const { node } of this.scene.nodes) if (node.box !== null) wanted.add(node.box);
    this.cy.batch(() => {
      this.cy
        .elements()
        .filter((element) => !wanted.has(element.id()))
        .remove();
      const added: cytoscape.ElementDefinition[] = [];
      for (const { id, x, y, r, node } of this.scene.nodes) {
        const size = Math.round(2 * r + 12);
        const known = this.cy.getElementById(id);
        if (known.empty()) {
          if (
            node.box !== null &&
            this.cy.getElementById(node.box).empty() &&
            !added.some(({ data }) => data.id === node.box)
          ) {
            added.push({ group: "nodes", data: { id: node.box, size: 1 } });
          }
          added.push({
            group: "nodes",
            data: { id, size, ...(node.box === null ? {} : { parent: node.box }) },
            position: { x, y },
          });
          continue;
        }
        if (known.data("size") !== size) known.data("size", size);
        const place = known.position();
        if (!known.grabbed() && (place.x !== x || place.y !== y)) known.position({ x, y });
      }
      this.cy.add(added);
      this.cy.add(
        this.scene.edges
          .filter(({ id }) => this.cy.getElementById(id).empty())
          .map(({ id, edge }) => ({ group: "edges" as const, data: { id, source: edge.source, target: edge.target } })),
      );
    });
  }

  private onResize(): void {
    const { surface, base, particles } = this.host;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [base, particles]) {
      canvas.width = Math.round(surface.clientWidth * dpr);
      canvas.height = Math.round(surface.clientHeight * dpr);
    }
    this.cy.resize();
    if (this.untouched) this.fit();
    this.redraw();
  }

  private view(): View {
    const { clientWidth: width, clientHeight: height } = this.host.surface;
    const dpr = width === 0 ? 1 : this.host.base.width / width;
    return { zoom: this.cy.zoom(), pan: this.cy.pan(), width, height, dpr };
  }

  private redraw(): void {
    this.dirty = true;
    this.wake();
  }

  private readonly wake = (): void => {
    if (this.frame === 0 && document.visibilityState === "visible") this.frame = requestAnimationFrame(this.onFrame);
  };

  private readonly onFrame = (now: number): void => {
    this.frame = 0;
    if (this.dirty) this.paintBase();
    const elapsed = now - this.lastFrameAt;
    if (elapsed >= frameMs - 2) {
      this.lastFrameAt = now;
      this.paintFlying(Math.min(elapsed, 100) / 1000);
    }
    if (this.animate) this.wake();
  };

  private paintBase(): void {
    const ctx = this.host.base.getContext("2d");
    if (!ctx || !this.palette) return;
    this.dirty = false;
    paintScene(ctx, this.scene, this.view(), this.palette, {
      selected: this.emphasis.selected,
      hovered: this.hovered,
      lit: this.path ?? this.emphasis.lit,
    });
  }

  private paintFlying(seconds: number): void {
    const ctx = this.host.particles.getContext("2d");
    if (!ctx || !this.palette) return;
    if (this.animate) this.flying.step(this.graph.edges, seconds);
    paintParticles(ctx, this.flying, this.edges, this.view(), this.palette, this.path ?? this.emphasis.lit);
  }
}
