import { pointAt } from "./curve.ts";
import { near } from "./detail.ts";
import type { Palette } from "./palette.ts";
import type { Rect, SceneEdge, SceneNode } from "./scene.ts";

/** Names below the rings, numbers on the calls; a number that would cover something is moved along its call, or left out. */
export function paintLabels(
  ctx: CanvasRenderingContext2D,
  { nodes, edges }: { nodes: readonly SceneNode[]; edges: readonly SceneEdge[] },
  zoom: number,
  palette: Palette,
  isFaint: (id: string) => boolean,
): void {
  const taken: Rect[] = nodes.map(({ x, y, r }) => ({ x: x - r, y: y - r, width: 2 * r, height: 2 * r }));
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  paintNames(ctx, nodes, zoom, palette, isFaint, taken);
  if (zoom >= near) paintNumbers(ctx, edges, zoom, palette, isFaint, taken);
  ctx.globalAlpha = 1;
}

/** In graph units, so that on the screen it stays between `low` and `high` pixels. */
const sizeOn = (zoom: number, size: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, size * zoom)) / zoom;

function paintNames(
  ctx: CanvasRenderingContext2D,
  nodes: readonly SceneNode[],
  zoom: number,
  palette: Palette,
  isFaint: (id: string) => boolean,
  taken: Rect[],
): void {
  const size = sizeOn(zoom, 12.5, 10.5, 16);
  ctx.strokeStyle = palette.bg;
  for (const { id, x, y, r, name, sub, node } of nodes) {
    const width = Math.max(ctx.measureText(name).width, 40);
    taken.push({ x: x - width / 2, y: y + r + 4, width, height: size * 2.3 });
    ctx.globalAlpha = isFaint(id) ? 0.25 : 1;
    ctx.lineWidth = 4;
    ctx.font = `${size}px ${palette.font}`;
    if (node.box === null) ctx.strokeText(name, x, y + r + size + 5);
    ctx.fillStyle = palette.ink;
    ctx.fillText(name, x, y + r + size + 5);
    if (!sub) continue;
    ctx.font = `${size * 0.88}px ${palette.font}`;
    ctx.fillStyle = palette.ink2;
    ctx.fillText(sub, x, y + r + size * 2.15 + 5);
  }
}

function paintNumbers(
  ctx: CanvasRenderingContext2D,
  edges: readonly SceneEdge[],
  zoom: number,
  palette: Palette,
  isFaint: (id: string) => boolean,
  taken: Rect[],
): void {
  const size = sizeOn(zoom, 11, 10, 14);
  ctx.font = `${size}px ${palette.mono}`;
  ctx.lineWidth = 4;
  ctx.strokeStyle = palette.bg;
  const urgency = ({ edge }: SceneEdge) => edge.signals.errorShare * 1e6 + edge.signals.requestRate;
  for (const edge of edges.toSorted((a, b) => urgency(b) - urgency(a))) {
    if (isFaint(edge.id)) continue;
    for (const label of edge.labels) {
      const width = ctx.measureText(label).width;
      const place = findPlace(edge, width, size, taken);
      if (!place) continue;
      taken.push(place);
      ctx.globalAlpha = 1;
      ctx.fillStyle = edge.edge.health === "failing" ? palette.health.failing : palette.ink2;
      ctx.strokeText(label, place.x + width / 2, place.y + size);
      ctx.fillText(label, place.x + width / 2, place.y + size);
      break;
    }
  }
}

function findPlace(edge: SceneEdge, width: number, size: number, taken: readonly Rect[]): Rect | null {
  for (const t of [0.5, 0.58, 0.42, 0.66, 0.34, 0.74, 0.26]) {
    const { x, y } = pointAt(edge.curve, t);
    // Above a call that goes across, beside one that goes down.
    const rect = isSteep(edge)
      ? { x: x + 7, y: y - size / 2 - 2, width, height: size + 4 }
      : { x: x - width / 2, y: y - size - 7, width, height: size + 4 };
    if (!taken.some((other) => overlap(rect, other))) return rect;
  }
  return null;
}

const isSteep = ({ curve: [from, , , to] }: SceneEdge): boolean =>
  Math.abs(to.y - from.y) > 2 * Math.abs(to.x - from.x);

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
