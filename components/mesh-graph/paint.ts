import { errorTone } from "../../server/contract/index.ts";
import { badgesOf } from "./badges.ts";
import { type Curve, isNear } from "./curve.ts";
import { far } from "./detail.ts";
import type { Point } from "./layout.ts";
import { paintBadge, paintLock } from "./paint-badge.ts";
import { paintLabels } from "./paint-labels.ts";
import type { Palette } from "./palette.ts";
import type { Labels } from "./place-labels.ts";
import type { Rect } from "./rect.ts";
import type { Scene, SceneBox, SceneEdge, SceneNode } from "./scene.ts";
import type { Pen } from "./svg-pen.ts";

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
  /** The control plane does not answer: where config acts may be elsewhere by now, and its marks step back. */
  oldConfig?: boolean;
}

/** From this many calls on. */
const crowd = 400;

/** Draws the graph without its particles. */
export function paintScene(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  labels: Labels,
  view: View,
  palette: Palette,
  emphasis: Emphasis,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  applyView(ctx, view);
  drawScene(ctx, scene, labels, view, palette, emphasis);
}

/** In graph coordinates, on a ground that is ready for it. */
export function drawScene(
  ctx: Pen,
  scene: Scene,
  labels: Labels,
  view: View,
  palette: Palette,
  emphasis: Emphasis,
): void {
  const seen = visibleRect(view, 80);
  const nodes = scene.nodes.filter(
    ({ x, y }) => x > seen.x && x < seen.x + seen.width && y > seen.y && y < seen.y + seen.height,
  );
  const edges = scene.edges.filter(({ curve }) => isNear(curve, seen));
  for (const box of scene.boxes) paintBox(ctx, box, view.zoom, palette, emphasis);
  const isFaint = (id: string) => emphasis.lit !== null && !emphasis.lit.has(id);
  if (view.zoom < far) paintFarEdges(ctx, edges, view.zoom, palette, isFaint);
  else {
    // In a crowd, calls that only pass through are a haze: of interest is what stands here and what it talks to.
    const here = new Set(nodes.map(({ id }) => id));
    const isPassing = ({ id, edge }: SceneEdge) =>
      scene.edges.length > crowd &&
      edge.health !== "failing" &&
      !here.has(edge.source) &&
      !here.has(edge.target) &&
      !emphasis.lit?.has(id);
    paintFarEdges(ctx, edges.filter(isPassing), view.zoom, palette, () => true);
    const standing = edges.filter((edge) => !isPassing(edge));
    for (const edge of standing) paintEdge(ctx, edge, palette, isFaint(edge.id), emphasis.selected === edge.id);
    const locked = new Set(standing.filter(({ id }) => !isFaint(id)).map(({ id }) => id));
    for (const lock of labels.locks) if (locked.has(lock.id)) paintLock(ctx, lock, palette);
  }
  for (const node of nodes) {
    ctx.globalAlpha = isFaint(node.id) ? 0.18 : 1;
    if (view.zoom < far) paintFarNode(ctx, node, view.zoom, palette);
    else paintNode(ctx, node, palette, emphasis);
  }
  ctx.globalAlpha = 1;
  paintLabels(ctx, labels, new Map(edges.map((edge) => [edge.id, edge])), palette, isFaint);
  if (view.zoom < far) return;
  for (const { badge, on, x, y } of badgesOf(nodes, scene.boxes, edges)) {
    const isBox = scene.boxes.some(({ id }) => id === on);
    ctx.globalAlpha = isFaint(on) && !isBox ? 0.18 : emphasis.oldConfig ? 0.35 : 1;
    paintBadge(ctx, badge, x, y, palette);
  }
  ctx.globalAlpha = 1;
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

function traceCurve(path: Pen, { points }: Curve, end?: Point): void {
  const [start] = points;
  if (start) path.moveTo(start.x, start.y);
  for (let i = 1; i + 2 < points.length; i += 3) {
    const [b, c, d] = [points[i], points[i + 1], i + 3 < points.length ? points[i + 2] : (end ?? points[i + 2])];
    if (b && c && d) path.bezierCurveTo(b.x, b.y, c.x, c.y, d.x, d.y);
  }
}

function paintBox(ctx: Pen, box: SceneBox, zoom: number, palette: Palette, { selected }: Emphasis): void {
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
}

/** One stroke per health: thousands of single strokes are what makes panning slow. */
function paintFarEdges(
  ctx: Pen,
  edges: readonly SceneEdge[],
  zoom: number,
  palette: Palette,
  isFaint: (id: string) => boolean,
): void {
  const calm = Math.min(0.28, 8 / Math.sqrt(edges.length) / 1.6);
  for (const health of ["idle", "healthy", "degraded", "failing"] as const) {
    for (const faint of [true, false]) {
      ctx.beginPath();
      for (const edge of edges)
        if (edge.edge.health === health && isFaint(edge.id) === faint) traceCurve(ctx, edge.curve);
      ctx.strokeStyle = palette.health[health];
      ctx.globalAlpha = faint ? 0.05 : health === "failing" ? 0.8 : calm;
      ctx.lineWidth = (health === "failing" ? 1.6 : 1) / zoom;
      ctx.stroke();
    }
  }
  ctx.globalAlpha = 1;
}

function paintEdge(
  ctx: Pen,
  { edge, curve, width }: SceneEdge,
  palette: Palette,
  faint: boolean,
  selected: boolean,
): void {
  const [before, end] = [curve.points.at(-2), curve.points.at(-1)];
  if (!before || !end) return;
  const line = selected ? width + 1.5 : width;
  const angle = Math.atan2(end.y - before.y, end.x - before.x);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [size, spread] = [5 + line * 1.1, 2.6 + line * 0.75];
  // The line ends where its head begins: one showing through the other would look like two heads.
  const neck = { x: end.x + cos * (3 - size), y: end.y + sin * (3 - size) };
  ctx.strokeStyle = ctx.fillStyle = selected ? palette.accent : palette.health[edge.health];
  ctx.globalAlpha = faint ? 0.08 : selected ? 0.9 : edge.health === "failing" ? 0.65 : 0.5;
  ctx.lineWidth = line;
  ctx.setLineDash(edge.health === "idle" ? [2, 5] : []);
  ctx.beginPath();
  traceCurve(ctx, curve, neck);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(end.x + cos * 3, end.y + sin * 3);
  ctx.lineTo(neck.x - sin * spread, neck.y + cos * spread);
  ctx.lineTo(neck.x + sin * spread, neck.y - cos * spread);
  ctx.closePath();
  ctx.globalAlpha = faint ? 0.1 : 0.85;
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** From far away: health by colour and shape, nothing else. */
function paintFarNode(ctx: Pen, { x, y, r, node }: SceneNode, zoom: number, palette: Palette): void {
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
function paintNode(ctx: Pen, { id, x, y, r, node }: SceneNode, palette: Palette, emphasis: Emphasis): void {
  const outside = node.kind === "source" || node.kind === "unknown";
  const failed = node.signals.errorShare;
  disc(ctx, x, y, r);
  ctx.fillStyle = palette.panel;
  ctx.fill();
  ctx.lineWidth = outside ? 2 : 3;
  ctx.setLineDash(outside ? [3, 3] : node.idle ? [2, 4] : []);
  // What fails is an arc of its own colour; slowness, which has no share, colours the whole.
  const whole = failed === 0 ? node.health : "healthy";
  ctx.strokeStyle = outside || node.idle ? palette.health.idle : palette.health[whole];
  ctx.stroke();
  ctx.setLineDash([]);
  if (failed > 0 && !outside && !node.idle) {
    ctx.beginPath();
    ctx.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + Math.max(failed * 2 * Math.PI, 4 / r));
    ctx.lineWidth = 4.5;
    ctx.strokeStyle =
      errorTone({ errorShare: failed, thresholds: node.signals.thresholds }) === "bad"
        ? palette.health.failing
        : palette.health.degraded;
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

const disc = (ctx: Pen, x: number, y: number, r: number): void => {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
};
