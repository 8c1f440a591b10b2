import { far } from "./detail.ts";
import type { Point } from "./layout.ts";
import { paintBadge } from "./paint-badge.ts";
import { paintLabels } from "./paint-labels.ts";
import type { Palette } from "./palette.ts";
import type { Rect, Scene, SceneBox, SceneEdge, SceneNode } from "./scene.ts";

export interface View {
  zoom: number;
  pan: Point;
  /** CSS pixels. */
  width: number;
  height: number;
  dpr: number;
}

/** What stands out, and what steps back. */
export interface Emphasis {
  selected: string | null;
  /** Under the pointer, or focused by key. */
  hovered: string | null;
  /** When set, everything else is faint: the path under the pointer, or what was found. */
  lit: ReadonlySet<string> | null;
}

/** Draws the graph without its particles. */
export function paintScene(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  view: View,
  palette: Palette,
  emphasis: Emphasis,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  applyView(ctx, view);
  const seen = visibleRect(view, 80);
  const nodes = scene.nodes.filter(
    ({ x, y }) => x > seen.x && x < seen.x + seen.width && y > seen.y && y < seen.y + seen.height,
  );
  const edges = scene.edges.filter(({ curve }) => touches(seen, curve));
  for (const box of scene.boxes) paintBox(ctx, box, view.zoom, palette, emphasis);
  const isFaint = (id: string) => emphasis.lit !== null && !emphasis.lit.has(id);
  if (view.zoom < far) paintFarEdges(ctx, edges, view.zoom, palette, isFaint);
  else for (const edge of edges) paintEdge(ctx, edge, palette, isFaint(edge.id), emphasis.selected === edge.id);
  for (const node of nodes) {
    ctx.globalAlpha = isFaint(node.id) ? 0.18 : 1;
    if (view.zoom < far) paintFarNode(ctx, node, view.zoom, palette);
    else paintNode(ctx, node, palette, emphasis);
  }
  ctx.globalAlpha = 1;
  if (view.zoom >= far) paintLabels(ctx, { nodes, edges }, view.zoom, palette, isFaint);
  if (view.zoom >= far) paintBadges(ctx, nodes, scene.boxes, palette, isFaint);
}

export function applyView(ctx: CanvasRenderingContext2D, { zoom, pan, dpr }: View): void {
  ctx.setTransform(zoom * dpr, 0, 0, zoom * dpr, pan.x * dpr, pan.y * dpr);
}

export function visibleRect({ zoom, pan, width, height }: View, margin: number): Rect {
  return {
    x: -pan.x / zoom - margin,
    y: -pan.y / zoom - margin,
    width: width / zoom + 2 * margin,
    height: height / zoom + 2 * margin,
  };
}

const touches = (rect: Rect, curve: SceneEdge["curve"]): boolean => {
  const [a, b, c, d] = curve;
  return (
    Math.max(a.x, b.x, c.x, d.x) > rect.x &&
    Math.min(a.x, b.x, c.x, d.x) < rect.x + rect.width &&
    Math.max(a.y, b.y, c.y, d.y) > rect.y &&
    Math.min(a.y, b.y, c.y, d.y) < rect.y + rect.height
  );
};

function traceCurve(path: CanvasRenderingContext2D | Path2D, [a, b, c, d]: SceneEdge["curve"]): void {
  path.moveTo(a.x, a.y);
  path.bezierCurveTo(b.x, b.y, c.x, c.y, d.x, d.y);
}

function paintBox(
  ctx: CanvasRenderingContext2D,
  box: SceneBox,
  zoom: number,
  palette: Palette,
  { selected }: Emphasis,
): void {
  const isVersions = box.kind === "versions";
  const on = isVersions && selected !== null && (selected === box.id || selected.startsWith(`${box.id}/`));
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, 12);
  ctx.setLineDash(isVersions ? [] : [3, 4]);
  ctx.lineWidth = 1 / Math.min(1, zoom);
  ctx.strokeStyle = on ? palette.accent : palette.line;
  if (isVersions) {
    ctx.globalAlpha = on ? 0.12 : 0.05;
    ctx.fillStyle = palette.accent;
    ctx.fill();
  }
  ctx.globalAlpha = on ? 0.9 : 1;
  ctx.stroke();
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  if (isVersions) return;
  const size = Math.max(11, Math.min(11 / zoom, box.height / 6));
  ctx.font = `${size}px ${palette.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.fillStyle = palette.ink2;
  ctx.fillText(box.name, box.x + 16, box.y + 12 + size);
}

/** One stroke per health: thousands of single strokes are what makes panning slow. */
function paintFarEdges(
  ctx: CanvasRenderingContext2D,
  edges: readonly SceneEdge[],
  zoom: number,
  palette: Palette,
  isFaint: (id: string) => boolean,
): void {
  const calm = Math.min(0.28, 8 / Math.sqrt(edges.length) / 1.6);
  for (const health of ["idle", "healthy", "degraded", "failing"] as const) {
    for (const faint of [true, false]) {
      const path = new Path2D();
      for (const edge of edges)
        if (edge.edge.health === health && isFaint(edge.id) === faint) traceCurve(path, edge.curve);
      ctx.strokeStyle = palette.health[health];
      ctx.globalAlpha = faint ? 0.05 : health === "failing" ? 0.8 : calm;
      ctx.lineWidth = (health === "failing" ? 1.6 : 1) / zoom;
      ctx.stroke(path);
    }
  }
  ctx.globalAlpha = 1;
}

function paintEdge(
  ctx: CanvasRenderingContext2D,
  { edge, curve, width }: SceneEdge,
  palette: Palette,
  faint: boolean,
  selected: boolean,
): void {
  const end = curve[3];
  const color = palette.health[edge.health];
  ctx.beginPath();
  traceCurve(ctx, curve);
  ctx.strokeStyle = selected ? palette.accent : color;
  ctx.lineWidth = selected ? width + 1.5 : width;
  ctx.globalAlpha = faint ? 0.08 : selected ? 0.9 : edge.health === "failing" ? 0.6 : 0.42;
  ctx.setLineDash(edge.health === "idle" ? [2, 5] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  // The head, along the curve's last direction.
  const angle = Math.atan2(end.y - curve[2].y, end.x - curve[2].x);
  const size = 4 + width * 0.7;
  ctx.beginPath();
  ctx.moveTo(end.x + Math.cos(angle) * 3, end.y + Math.sin(angle) * 3);
  ctx.lineTo(end.x - Math.cos(angle - 0.5) * size, end.y - Math.sin(angle - 0.5) * size);
  ctx.lineTo(end.x - Math.cos(angle + 0.5) * size, end.y - Math.sin(angle + 0.5) * size);
  ctx.closePath();
  ctx.fillStyle = ctx.strokeStyle;
  ctx.globalAlpha = faint ? 0.1 : 0.75;
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** From far away: health by colour and shape, nothing else. */
function paintFarNode(
  ctx: CanvasRenderingContext2D,
  { x, y, r, node }: SceneNode,
  zoom: number,
  palette: Palette,
): void {
  const size = Math.max(r * 0.55, 4 / zoom);
  ctx.beginPath();
  if (node.health === "failing") {
    ctx.moveTo(x, y - size * 1.3);
    ctx.lineTo(x + size * 1.2, y + size);
    ctx.lineTo(x - size * 1.2, y + size);
    ctx.closePath();
  } else if (node.health === "degraded") ctx.rect(x - size, y - size, 2 * size, 2 * size);
  else ctx.arc(x, y, size, 0, 2 * Math.PI);
  ctx.fillStyle = ctx.strokeStyle = palette.health[node.health];
  ctx.lineWidth = 2;
  if (node.health === "idle") ctx.stroke();
  else ctx.fill();
}

/** A ring: its circumference is the success and failure share, its size the rate, its core the version. */
function paintNode(
  ctx: CanvasRenderingContext2D,
  { id, x, y, r, node }: SceneNode,
  palette: Palette,
  emphasis: Emphasis,
): void {
  const outside = node.kind === "source" || node.kind === "unknown";
  const failed = node.signals.errorShare;
  disc(ctx, x, y, r);
  ctx.fillStyle = palette.panel;
  ctx.fill();
  ctx.lineWidth = outside ? 2 : 3;
  ctx.setLineDash(outside ? [3, 3] : node.idle ? [2, 4] : []);
  ctx.strokeStyle = outside || node.idle ? palette.health.idle : palette.health.healthy;
  ctx.stroke();
  ctx.setLineDash([]);
  if (failed > 0 && !outside && !node.idle) {
    ctx.beginPath();
    ctx.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + Math.max(failed * 2 * Math.PI, 4 / r));
    ctx.lineWidth = 4.5;
    ctx.strokeStyle = failed > 0.05 ? palette.health.failing : palette.health.degraded;
    ctx.stroke();
  }
  const hasVersion = node.version !== null && node.kind === "workload";
  disc(ctx, x, y, hasVersion ? r * 0.38 : 4);
  ctx.fillStyle = hasVersion ? palette.version(node.version) : palette.ink3;
  ctx.fill();
  if (emphasis.selected !== id && emphasis.hovered !== id) return;
  disc(ctx, x, y, r + 7);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = emphasis.selected === id ? palette.accent : palette.ink3;
  ctx.stroke();
}

const disc = (ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void => {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
};

function paintBadges(
  ctx: CanvasRenderingContext2D,
  nodes: readonly SceneNode[],
  boxes: readonly SceneBox[],
  palette: Palette,
  isFaint: (id: string) => boolean,
): void {
  for (const { node, x, y, r, id } of nodes) {
    // The split of a boxed service is said once, on its box; a gateway is named below its ring.
    const badges = node.badges.filter((badge) => badge !== "gateway" && !(badge === "split" && node.box !== null));
    ctx.globalAlpha = isFaint(id) ? 0.18 : 1;
    for (const [index, badge] of badges.entries()) {
      const angle = -Math.PI / 4 + index * ((22 * 1.15) / (r + 8));
      paintBadge(ctx, badge, x + Math.cos(angle) * (r + 8), y + Math.sin(angle) * (r + 8), palette);
    }
  }
  ctx.globalAlpha = 1;
  for (const { badges, x, y, width } of boxes) {
    for (const [index, badge] of badges.entries()) paintBadge(ctx, badge, x + width - 12 - index * 24, y + 2, palette);
  }
}
