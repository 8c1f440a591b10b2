import { pointAt } from "./curve.ts";
import type { Point } from "./layout.ts";
import type { Rect } from "./rect.ts";
import type { SceneEdge } from "./scene.ts";
import { Taken } from "./taken.ts";

/** The padlock of a call that comes over mutual TLS. */
export interface PlacedLock extends Point {
  id: string;
  /** Of its requests, 0 to 1. */
  share: number;
}

/** With the ground it stands on. */
export const lockRadius = 8;

/** Near the call's end, away from the middle, which is for numbers; further off where calls come in side by side, or are short. */
const places = [0.9, 0.82, 0.74, 0.66, 0.58, 0.5, 0.42, 0.34, 0.26];

export const lockRect = ({ x, y }: Point): Rect => ({
  x: x - lockRadius,
  y: y - lockRadius,
  width: 2 * lockRadius,
  height: 2 * lockRadius,
});

/** A padlock for every call that needs one, for its absence means plain text. Where there is no room it lies on a name rather than on another padlock. */
export function placeLocks(edges: readonly SceneEdge[], taken: Taken): PlacedLock[] {
  const others = new Taken([]);
  return edges.flatMap(({ id, edge, curve }) => {
    if (edge.mtls === 0) return [];
    const points = places.map((share) => pointAt(curve, share));
    const free = points.filter((point) => others.isFree(lockRect(point)));
    const point = free.find((one) => taken.isFree(lockRect(one))) ?? free[0] ?? points[0];
    if (!point) return [];
    for (const ground of [others, taken]) ground.add(id, lockRect(point));
    return [{ id, share: edge.mtls, x: point.x, y: point.y }];
  });
}
