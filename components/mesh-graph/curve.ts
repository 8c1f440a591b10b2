import type { Direction, Point } from "./layout.ts";
import type { Rect } from "./rect.ts";

/** Cubic Béziers, one after another: start, then two controls and an end each. */
export interface Curve {
  points: readonly Point[];
  /** Share of the whole length at which each of them ends; the last is 1. */
  ends: readonly number[];
  bounds: Rect;
}

/** A ring; a call that leaves downwards starts below its name. */
export interface Disc extends Point {
  r: number;
  /** Height of the name below the ring. */
  below: number;
}

/** Between a ring and where a call leaves it, or where it arrives. */
const leaving = 5;
const arriving = 8;
/** A call leaves on the side it goes to, not steeper than this, so that it stays clear of the name below; it arrives flatter. */
const steepest = 0.62;

export function curveOf(points: readonly Point[]): Curve {
  const lengths: number[] = [];
  for (let i = 0; i + 3 < points.length; i += 3) lengths.push(lengthOf(points, i));
  const total = lengths.reduce((sum, length) => sum + length, 0) || 1;
  let sum = 0;
  const ends = lengths.map((length) => {
    sum += length;
    return sum / total;
  });
  return { points, ends, bounds: boundsOf(points) };
}

/** The way of a call from one ring to another: outside of both, forward as an S, backwards as a bow beside it. */
export function curveBetween(from: Disc, to: Disc, direction: Direction = "right"): Curve {
  if (direction === "right" || !isBelow(from, to)) return acrossCurve(from, to);
  return through(from, to, [], "down");
}

/** Whether a call goes the way that all calls go, with room for an S. */
export const isForward = (from: Disc, to: Disc, direction: Direction): boolean =>
  direction === "right" ? to.x - from.x > (from.r + to.r) * 1.2 : isBelow(from, to);

const isBelow = (from: Disc, to: Disc): boolean => to.y - from.y >= from.r + from.below + to.r + 24;

function acrossCurve(from: Disc, to: Disc): Curve {
  return isForward(from, to, "right") ? through(from, to, [], "right") : bow(from, to);
}

/** From ring to ring by way of these straight stretches, each entered and left along the direction of the layout. */
export function through(
  from: Disc,
  to: Disc,
  stretches: readonly { from: Point; to: Point }[],
  direction: Direction,
): Curve {
  const [first, last] = [stretches[0]?.from ?? to, stretches.at(-1)?.to ?? from];
  const ends = direction === "right" ? beside(from, to, first, last) : below(from, to, first, last);
  const stops = [ends.start, ...stretches.flatMap(({ from, to }) => [from, to]), ends.end];
  const points: Point[] = [ends.start];
  for (let i = 1; i < stops.length; i++) {
    const [a, b] = [stops[i - 1] ?? ends.start, stops[i] ?? ends.end];
    const [leave, arrive] = [i === 1 ? ends.out : 0, i === stops.length - 1 ? ends.into : 0];
    if (direction === "right") {
      const half = (b.x - a.x) / 2;
      points.push({ x: a.x + half, y: a.y + half * leave }, { x: b.x - half, y: b.y - half * arrive }, b);
    } else {
      const half = (b.y - a.y) / 2;
      points.push({ x: a.x, y: a.y + half }, { x: b.x, y: b.y - half }, b);
    }
  }
  return curveOf(points);
}

interface Ends {
  start: Point;
  end: Point;
  /** Slopes with which it leaves and arrives. */
  out: number;
  into: number;
}

function beside(from: Disc, to: Disc, first: Point, last: Point): Ends {
  const clamped = (angle: number) => Math.max(-steepest, Math.min(steepest, angle));
  const out = clamped(Math.atan2(first.y - from.y, first.x - from.x));
  const into = clamped(Math.atan2(to.y - last.y, to.x - last.x));
  const [near, far] = [from.r + leaving, to.r + arriving];
  return {
    start: { x: from.x + Math.cos(out) * near, y: from.y + Math.sin(out) * near },
    end: { x: to.x - Math.cos(into) * far, y: to.y - Math.sin(into) * far },
    out: Math.tan(out) * 0.8,
    into: Math.tan(into) * 0.35,
  };
}

/** Fanned out a little below the name, so that calls to different places don't leave as one. */
function below(from: Disc, to: Disc, first: Point, last: Point): Ends {
  const lean = (by: number, most: number) => Math.max(-most, Math.min(most, by * 0.12));
  return {
    start: { x: from.x + lean(first.x - from.x, from.r * 0.7), y: from.y + from.r + from.below + 2 },
    end: { x: to.x + lean(last.x - to.x, to.r * 0.5), y: to.y - to.r - arriving },
    out: 0,
    into: 0,
  };
}

function bow(from: Disc, to: Disc): Curve {
  if (Math.abs(to.x - from.x) <= from.r + to.r) {
    // In the same column: out to the right and back in.
    const reach = 50 + Math.abs(to.y - from.y) * 0.25;
    const start = { x: from.x + from.r + leaving, y: from.y };
    const end = { x: to.x + to.r + arriving, y: to.y };
    return curveOf([start, { x: start.x + reach, y: start.y }, { x: end.x + reach, y: end.y }, end]);
  }
  const low = Math.max(from.y + from.r, to.y + to.r) + 70;
  return curveOf([
    { x: from.x, y: from.y + from.r + leaving },
    { x: from.x, y: low },
    { x: to.x, y: low },
    { x: to.x, y: to.y + to.r + arriving },
  ]);
}

/** A place on the curve by the share of its length, 0..1; within one Bézier only about so. */
export function pointAt({ points, ends }: Curve, share: number): Point {
  let [index, start] = [0, 0];
  while (index < ends.length - 1 && share > (ends[index] ?? 1)) {
    start = ends[index] ?? 1;
    index += 1;
  }
  const span = (ends[index] ?? 1) - start;
  return bezier(points, index * 3, span > 0 ? (share - start) / span : 1);
}

const origin: Point = { x: 0, y: 0 };

function bezier(points: readonly Point[], at: number, t: number): Point {
  const [a, b, c, d] = [
    points[at] ?? origin,
    points[at + 1] ?? origin,
    points[at + 2] ?? origin,
    points[at + 3] ?? origin,
  ];
  const u = 1 - t;
  const [wa, wb, wc, wd] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
  return { x: wa * a.x + wb * b.x + wc * c.x + wd * d.x, y: wa * a.y + wb * b.y + wc * c.y + wd * d.y };
}

function lengthOf(points: readonly Point[], at: number, steps = 8): number {
  let [length, last] = [0, bezier(points, at, 0)];
  for (let i = 1; i <= steps; i++) {
    const next = bezier(points, at, i / steps);
    length += Math.hypot(next.x - last.x, next.y - last.y);
    last = next;
  }
  return length;
}

/** Points along the whole curve, `each` of them per Bézier and its start. */
export function samplesOf(curve: Curve, each: number): Point[] {
  const samples = [curve.points[0] ?? origin];
  for (let i = 0; i < curve.ends.length; i++) {
    for (let step = 1; step <= each; step++) samples.push(bezier(curve.points, i * 3, step / each));
  }
  return samples;
}

/** Smallest distance from a point to the curve, by samples; Infinity right away when outside of its bounds. */
export function distanceTo(curve: Curve, point: Point, reach: number, steps = 24): number {
  if (!isNear(curve, { x: point.x, y: point.y, width: 0, height: 0 }, reach)) return Number.POSITIVE_INFINITY;
  let best = Number.POSITIVE_INFINITY;
  for (const { x, y } of samplesOf(curve, steps)) best = Math.min(best, Math.hypot(x - point.x, y - point.y));
  return best;
}

/** Whether the curve's bounds come within `reach` of a rectangle. */
export const isNear = ({ bounds }: Curve, rect: Rect, reach = 0): boolean =>
  bounds.x + bounds.width >= rect.x - reach &&
  bounds.x <= rect.x + rect.width + reach &&
  bounds.y + bounds.height >= rect.y - reach &&
  bounds.y <= rect.y + rect.height + reach;

function boundsOf(points: readonly Point[]): Rect {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}
