import type { Direction, Point } from "./layout.ts";

/** A cubic Bézier: start, two controls, end. */
export type Curve = readonly [Point, Point, Point, Point];

interface Disc extends Point {
  r: number;
}

/** A ring's name stands below it; a call that leaves downwards starts below the name. */
const nameHeight = 44;

/** The way of a call from one ring to another: outside of both, forward as an S, backwards as a bow beside it. */
export function curveBetween(from: Disc, to: Disc, direction: Direction = "right"): Curve {
  if (direction === "right" || to.y - from.y < (from.r + to.r) * 1.2 + nameHeight) return acrossCurve(from, to);
  const start = { x: from.x, y: from.y + from.r + nameHeight };
  const end = { x: to.x, y: to.y - to.r - 8 };
  const middle = (start.y + end.y) / 2;
  return [start, { x: start.x, y: middle }, { x: end.x, y: middle }, end];
}

function acrossCurve(from: Disc, to: Disc): Curve {
  const forward = to.x - from.x > (from.r + to.r) * 1.2;
  if (!forward) return bow(from, to);
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const start = { x: from.x + Math.cos(angle) * (from.r + 5), y: from.y + Math.sin(angle) * (from.r + 5) };
  const end = { x: to.x - Math.cos(angle) * (to.r + 8), y: to.y - Math.sin(angle) * (to.r + 8) };
  const middle = (start.x + end.x) / 2;
  return [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end];
}

function bow(from: Disc, to: Disc): Curve {
  if (Math.abs(to.x - from.x) <= from.r + to.r) {
    // In the same column: out to the right and back in.
    const reach = 50 + Math.abs(to.y - from.y) * 0.25;
    const start = { x: from.x + from.r + 5, y: from.y };
    const end = { x: to.x + to.r + 8, y: to.y };
    return [start, { x: start.x + reach, y: start.y }, { x: end.x + reach, y: end.y }, end];
  }
  const low = Math.max(from.y + from.r, to.y + to.r) + 70;
  return [
    { x: from.x, y: from.y + from.r + 5 },
    { x: from.x, y: low },
    { x: to.x, y: low },
    { x: to.x, y: to.y + to.r + 8 },
  ];
}

export function pointAt([a, b, c, d]: Curve, t: number): Point {
  const u = 1 - t;
  const [wa, wb, wc, wd] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
  return { x: wa * a.x + wb * b.x + wc * c.x + wd * d.x, y: wa * a.y + wb * b.y + wc * c.y + wd * d.y };
}

/** Smallest distance from a point to the curve, by `steps` samples; Infinity right away when outside of its bounds. */
export function distanceTo(curve: Curve, point: Point, reach: number, steps = 24): number {
  const xs = curve.map(({ x }) => x);
  const ys = curve.map(({ y }) => y);
  if (point.x < Math.min(...xs) - reach || point.x > Math.max(...xs) + reach) return Number.POSITIVE_INFINITY;
  if (point.y < Math.min(...ys) - reach || point.y > Math.max(...ys) + reach) return Number.POSITIVE_INFINITY;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= steps; i++) {
    const { x, y } = pointAt(curve, i / steps);
    best = Math.min(best, Math.hypot(x - point.x, y - point.y));
  }
  return best;
}
