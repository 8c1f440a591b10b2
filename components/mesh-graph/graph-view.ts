import type { Core } from "cytoscape";
import type { Graph } from "../../server/contract/index.ts";
import { badgeRadius, badgesOf } from "./badges.ts";
import { distanceTo, pointAt } from "./curve.ts";
import { far } from "./detail.ts";
import { paintPicture } from "./export-picture.ts";
import { centred, fitInto, isInside, type Room, roomOf } from "./fitting.ts";
import { LabelPlaces } from "./label-places.ts";
import type { Point } from "./layout.ts";
import { type Emphasis, paintScene, type View } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { Particles, paintParticles } from "./particles.ts";
import { pathThrough } from "./path.ts";
import { type Arrangement, buildScene, extentOf, plain, type Scene, type SceneEdge, type SceneText } from "./scene.ts";
import { sceneSvg } from "./scene-svg.ts";
import { createSurface, syncSurface } from "./surface.ts";
import { bottomOf } from "./use-below.ts";

/** What the pointer or the keyboard is on, and where that is on the surface, in CSS pixels. */
export interface Pointed extends Point {
  id: string;
}

export interface GraphViewHost {
  /** Takes the pointer. The canvases lie below it, in this order. */
  surface: HTMLElement;
  base: HTMLCanvasElement;
  particles: HTMLCanvasElement;
  /** Lies over the graph's upper edge: nothing that has to be in sight goes below it. */
  toolbar: HTMLElement | null;
  onSelect: (id: string | null) => void;
  onPoint: (pointed: Pointed | null) => void;
  /** A node was dragged to a new place of the layout. */
  onMove: (moved: ReadonlyMap<string, Point>) => void;
  /** The graph has been seen for the first time. */
  onPainted: () => void;
}

const frameMs = 1000 / 30;
/** A painting that takes longer than this is moved as it is while the view moves, and made anew when that rests. */
const slowMs = 12;
const restMs = 140;

/** The living graph on two canvases: the graph, redrawn when something changed, and the particles above it, 30 times a second at most. */
export class GraphView {
  private readonly host: GraphViewHost;
  private readonly cy: Core;
  private readonly flying = new Particles();
  private readonly labels = new LabelPlaces();
  private readonly resize: ResizeObserver;
  private graph: Pick<Graph, "nodes" | "edges"> = { nodes: [], edges: [] };
  private points = new Map<string, Point>();
  /** As they were given, before anything was dragged. */
  private given: ReadonlyMap<string, Point> | null = null;
  private text: SceneText = { name: () => "", sub: () => "", labels: () => [] };
  private arrangement: Arrangement = plain;
  private scene: Scene = buildScene({ nodes: [], edges: [] }, new Map(), this.text);
  private edges = new Map<string, SceneEdge>();
  private palette: Palette | null = null;
  private emphasis: Omit<Emphasis, "hovered"> = { selected: null, lit: null };
  private hovered: string | null = null;
  private path: ReadonlySet<string> | null = null;
  private animate = false;
  private dirty = true;
  private frame = 0;
  private lastFrameAt = 0;
  private painted: { view: View; tookMs: number } | null = null;
  private syncing: ReturnType<typeof setTimeout> | undefined;
  private movedAt = 0;
  /** Until the person moves the view, it follows the graph's size. */
  private untouched = true;

  constructor(host: GraphViewHost) {
    this.host = host;
    this.cy = createSurface(host.surface, {
      onPoint: (point, id) => this.point(point && (id ?? this.callAt(point)), point),
      onTap: (point, id) => host.onSelect(id ?? this.callAt(point)),
      onView: (byHand) => {
        if (byHand) this.untouched = false;
        this.movedAt = performance.now();
        this.redraw();
      },
      onDrag: (moved, done) => this.follow(moved, done),
    });
    this.resize = new ResizeObserver(() => this.onResize());
    this.resize.observe(host.surface);
    if (host.toolbar) this.resize.observe(host.toolbar);
    document.addEventListener("visibilitychange", this.wake);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.syncing);
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

  setEmphasis(emphasis: Omit<Emphasis, "hovered">): void {
    this.emphasis = emphasis;
    this.redraw();
  }

  /** New data: sizes and colours change, nothing moves but what `points` says. */
  setGraph(
    graph: Pick<Graph, "nodes" | "edges">,
    points: ReadonlyMap<string, Point>,
    text: SceneText,
    direction: Arrangement["direction"],
  ): void {
    const sameNodes = points === this.given && hasSameIds(graph.nodes, this.graph.nodes);
    this.given = points;
    this.graph = graph;
    this.points = new Map(points);
    this.text = text;
    this.arrangement = { ...this.arrangement, direction };
    if (this.untouched && !sameNodes && this.fit()) return;
    this.rebuild();
    // Rings and labels change size with every second's data; who fits each time makes everything creep.
    const holds = isInside(this.scene.bounds, this.cy.zoom(), this.cy.pan(), this.room());
    if (this.untouched && !holds && this.fit()) return;
    this.sync();
  }

  /** What takes the pointer follows what is seen, and does not keep it from being seen first. */
  private sync(): void {
    if (this.painted) syncSurface(this.cy, this.scene.nodes);
  }

  /** Everything in sight, as large as can be. False without a place to be in. */
  fit(): boolean {
    this.untouched = true;
    const room = this.room();
    if (room.width === 0 || room.height === 0 || this.graph.nodes.length === 0) return false;
    const { direction } = this.arrangement;
    const { bounds, places } = extentOf(this.graph, this.points, this.text, direction);
    const { zoom, stretch } = fitInto(bounds, places, room, direction);
    this.arrangement = { direction, stretch };
    this.rebuild();
    this.sync();
    this.cy.viewport({ zoom, pan: centred(this.scene.bounds, zoom, room) });
    this.untouched = true;
    this.redraw();
    return true;
  }

  private room(): Room {
    return roomOf(this.cy.width(), this.cy.height(), bottomOf(this.host.toolbar));
  }

  zoomBy(factor: number): void {
    this.untouched = false;
    this.cy.zoom({
      level: this.cy.zoom() * factor,
      renderedPosition: { x: this.cy.width() / 2, y: this.cy.height() / 2 },
    });
  }

  /** What is seen, at twice its size, with what it is of written below it. */
  exportPng(caption: string): Promise<Blob | null> {
    if (!this.palette) return Promise.resolve(null);
    const { scene, flying, edges, palette } = this;
    const view = this.view();
    const labels = this.labels.of(scene, view);
    return paintPicture({ scene, labels, flying, edges, view, palette, emphasis: this.whole(), caption });
  }

  exportSvg(caption: string): string | null {
    return this.palette && sceneSvg(this.scene, this.palette, caption);
  }

  /** Lights a node's or call's whole path, as hovering does, and brings it into sight. Null: nothing. */
  hover(id: string | null): void {
    const place = id === null ? null : this.placeOf(id);
    if (place) this.bringIntoSight(place);
    this.point(id, place);
  }

  private point(id: string | null, at: Point | null): void {
    if (id === this.hovered) return;
    this.hovered = id;
    this.path = id === null ? null : pathThrough(this.graph, id);
    this.host.surface.style.cursor = id === null ? "" : "pointer";
    const { x, y } = this.cy.pan();
    const zoom = this.cy.zoom();
    this.host.onPoint(id !== null && at ? { id, x: at.x * zoom + x, y: at.y * zoom + y } : null);
    this.redraw();
  }

  private placeOf(id: string): Point | null {
    const node = this.scene.nodes.find((one) => one.id === id);
    if (node) return node;
    const edge = this.edges.get(id);
    if (edge) return pointAt(edge.curve, 0.5);
    const box = this.scene.boxes.find((one) => one.id === id);
    return box ? { x: box.x + box.width / 2, y: box.y } : null;
  }

  private bringIntoSight({ x, y }: Point): void {
    const [zoom, pan] = [this.cy.zoom(), this.cy.pan()];
    const room = this.room();
    const [left, top] = [x * zoom + pan.x, y * zoom + pan.y];
    if (left > 20 && left < room.width - 20 && top > room.top && top < room.height - 20) return;
    this.untouched = false;
    this.cy.panBy({ x: room.width / 2 - left, y: room.height / 2 - top });
  }

  /** A badge or a call at this place. */
  private callAt(point: Point): string | null {
    if (this.cy.zoom() >= far) {
      const badge = badgesOf(this.scene.nodes, this.scene.boxes, this.scene.edges).find(
        ({ x, y }) => Math.hypot(x - point.x, y - point.y) < badgeRadius,
      );
      if (badge) return badge.on;
    }
    const reach = 10 / this.cy.zoom();
    let best: { id: string; distance: number } | null = null;
    for (const { id, curve } of this.scene.edges) {
      const distance = distanceTo(curve, point, reach);
      if (distance < (best?.distance ?? reach)) best = { id, distance };
    }
    return best?.id ?? null;
  }

  /** A drag: the moved nodes' places become ours, as they are before the stretch. */
  private follow(moved: ReadonlyMap<string, Point>, done: boolean): void {
    this.untouched = false;
    const { stretch } = this.arrangement;
    const places = new Map([...moved].map(([id, { x, y }]) => [id, { x: x / stretch.x, y: y / stretch.y }]));
    for (const [id, point] of places) this.points.set(id, point);
    this.rebuild();
    if (done) this.host.onMove(places);
  }

  private rebuild(): void {
    this.scene = buildScene(this.graph, this.points, this.text, this.arrangement);
    this.edges = new Map(this.scene.edges.map((edge) => [edge.id, edge]));
    this.movedAt = 0;
    this.redraw();
  }

  private onResize(): void {
    const { surface, base, particles } = this.host;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [base, particles]) {
      canvas.width = Math.round(surface.clientWidth * dpr);
      canvas.height = Math.round(surface.clientHeight * dpr);
    }
    this.cy.resize();
    this.movedAt = 0;
    if (this.untouched) this.fit();
    this.redraw();
  }

  private view(): View {
    const { clientWidth: width, clientHeight: height } = this.host.surface;
    const dpr = width === 0 ? 1 : this.host.base.width / width;
    return { zoom: this.cy.zoom(), pan: { ...this.cy.pan() }, width, height, dpr };
  }

  private whole(): Emphasis {
    const { selected, lit, oldConfig = false } = this.emphasis;
    return { selected, hovered: this.hovered, lit: this.path ?? lit, oldConfig };
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
    if (this.dirty) this.paintBase(now);
    const elapsed = now - this.lastFrameAt;
    if (elapsed >= frameMs - 2) {
      this.lastFrameAt = now;
      this.paintFlying(Math.min(elapsed, 100) / 1000);
    }
    if (this.animate || this.dirty) this.wake();
  };

  private paintBase(now: number): void {
    const { base } = this.host;
    const ctx = base.getContext("2d");
    if (!ctx || !this.palette) return;
    const view = this.view();
    if (this.painted && this.painted.tookMs > slowMs && now - this.movedAt < restMs) {
      base.style.transform = movedBetween(this.painted.view, view);
      return;
    }
    this.dirty = false;
    const started = performance.now();
    base.style.transform = "";
    paintScene(ctx, this.scene, this.labels.of(this.scene, view), view, this.palette, this.whole());
    if (this.scene.nodes.length === 0) return;
    const isFirst = this.painted === null;
    this.painted = { view, tookMs: performance.now() - started };
    if (!isFirst) return;
    // For whoever measures how long a graph takes to be seen: the bench, or a browser's own tools.
    performance.mark("graph-painted");
    this.syncing = setTimeout(() => {
      this.sync();
      this.host.onPainted();
    });
  }

  private paintFlying(seconds: number): void {
    const ctx = this.host.particles.getContext("2d");
    if (!ctx || !this.palette) return;
    if (this.animate) this.flying.step(this.graph.edges, seconds);
    const view = this.view();
    const covers = this.labels.covers(this.scene, view);
    paintParticles(
      ctx,
      this.flying,
      { edges: this.edges, covers, lit: this.path ?? this.emphasis.lit },
      view,
      this.palette,
    );
  }
}

/** What was painted for one view, moved to where it is in another. */
function movedBetween(from: View, to: View): string {
  const scale = to.zoom / from.zoom;
  const [x, y] = [to.pan.x - from.pan.x * scale, to.pan.y - from.pan.y * scale];
  return `translate(${x}px, ${y}px) scale(${scale})`;
}

/** In any order: idle ones come last. */
function hasSameIds(a: Graph["nodes"], b: Graph["nodes"]): boolean {
  const known = new Set(b.map(({ id }) => id));
  return a.length === b.length && a.every(({ id }) => known.has(id));
}
