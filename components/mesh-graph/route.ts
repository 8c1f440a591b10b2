import { type Curve, curveBetween, type Disc, isForward, isNear, samplesOf, through } from "./curve.ts";
import type { Direction, Point } from "./layout.ts";
import { holds, type Rect } from "./rect.ts";

/** Something that calls go around: a ring with its name, or a box of versions. */
export interface Obstacle extends Rect {
  /** The nodes in it; their own calls may touch it. */
  holds: ReadonlySet<string>;
}

export interface Call {
  id: string;
  source: Disc & { id: string };
  target: Disc & { id: string };
}

/** Past this many calls nobody follows a single one by eye, and going around would take longer than a frame. */
const mostRouted = 600;
/** How near a call comes to what it goes around, and to another one on the same way. */
const clearance = 12;
const lane = 9;

/** The ways of all calls: straight on where that hits nothing, else through the nearest gap of each column between. */
export function routeCalls(
  calls: readonly Call[],
  obstacles: readonly Obstacle[],
  direction: Direction,
): Map<string, Curve> {
  const lanes: Lane[] = [];
  const curves = new Map<string, Curve>();
  for (const { id, source, target } of calls) {
    const direct = curveBetween(source, target, direction);
    const isFree = calls.length > mostRouted || !isForward(source, target, direction);
    const others = isFree ? [] : obstacles.filter((one) => !one.holds.has(source.id) && !one.holds.has(target.id));
    curves.set(id, others.some((one) => hits(direct, one)) ? around(source, target, others, direction, lanes) : direct);
  }
  return curves;
}

const hits = (curve: Curve, rect: Rect): boolean =>
  isNear(curve, rect) && samplesOf(curve, 20).some((point) => holds(rect, point));

/** In the layout's own axes: `u` along the calls, `v` across. */
interface Span {
  from: number;
  to: number;
}
interface Lane {
  u: Span;
  v: number;
}

function around(
  source: Disc,
  target: Disc,
  obstacles: readonly Obstacle[],
  direction: Direction,
  lanes: Lane[],
): Curve {
  const right = direction === "right";
  const [u, v] = right ? (["x", "y"] as const) : (["y", "x"] as const);
  const along = (rect: Rect): Span =>
    right ? { from: rect.x, to: rect.x + rect.width } : { from: rect.y, to: rect.y + rect.height };
  const across = (rect: Rect): Span =>
    right ? { from: rect.y, to: rect.y + rect.height } : { from: rect.x, to: rect.x + rect.width };
  const between = { from: source[u] + source.r + clearance, to: target[u] - target.r - clearance };
  // What stands in the columns of the two ends is beside them, not between.
  const inside = obstacles.filter((one) => {
    const { from, to } = along(one);
    const middle = (from + to) / 2;
    return middle > between.from && middle < between.to;
  });
  const stretches: { from: Point; to: Point }[] = [];
  let at: Point = source;
  for (const column of columnsOf(inside, along)) {
    const span = { from: Math.max(column.from, between.from), to: Math.min(column.to, between.to) };
    const ideal = at[v] + ((target[v] - at[v]) * ((span.from + span.to) / 2 - at[u])) / Math.max(1, target[u] - at[u]);
    const gaps = gapsBetween(column.members.map(across));
    const taken = lanes.filter((other) => other.u.from < span.to && span.from < other.u.to).map((other) => other.v);
    const chosen = nearestFree(ideal, gaps, taken);
    lanes.push({ u: span, v: chosen });
    const point = (along: number): Point => (right ? { x: along, y: chosen } : { x: chosen, y: along });
    stretches.push({ from: point(span.from), to: point(span.to) });
    at = point(span.to);
  }
  return through(source, target, stretches, direction);
}

/** Obstacles that share a part of the way form one column; columns in the order in which they are met. */
function columnsOf(obstacles: readonly Obstacle[], along: (rect: Rect) => Span): (Span & { members: Obstacle[] })[] {
  const columns: (Span & { members: Obstacle[] })[] = [];
  for (const obstacle of obstacles.toSorted((a, b) => along(a).from - along(b).from)) {
    const { from, to } = along(obstacle);
    const last = columns.at(-1);
    if (last && from < last.to) {
      last.to = Math.max(last.to, to);
      last.members.push(obstacle);
    } else columns.push({ from, to, members: [obstacle] });
  }
  return columns;
}

function gapsBetween(blocked: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let from = Number.NEGATIVE_INFINITY;
  for (const span of blocked.toSorted((a, b) => a.from - b.from)) {
    if (span.from - clearance >= from + clearance) gaps.push({ from: from + clearance, to: span.from - clearance });
    from = Math.max(from, span.to);
  }
  gaps.push({ from: from + clearance, to: Number.POSITIVE_INFINITY });
  return gaps;
}

/** The nearest place in a gap that keeps a lane's distance to the others; where all lanes are taken, the nearest place. */
function nearestFree(ideal: number, gaps: readonly Span[], taken: readonly number[]): number {
  const within = (value: number, gap: Span) => Math.min(gap.to, Math.max(gap.from, value));
  const places = gaps.flatMap((gap) => {
    const nearest = within(ideal, gap);
    return [nearest, ...taken.flatMap((v) => [within(v - lane, gap), within(v + lane, gap)])];
  });
  const byDistance = places.toSorted((a, b) => Math.abs(a - ideal) - Math.abs(b - ideal));
  const isFree = (v: number) => taken.every((other) => Math.abs(other - v) >= lane - 0.01);
  return byDistance.find(isFree) ?? byDistance[0] ?? ideal;
}
