import type { Badge } from "../../server/contract/index.ts";
import { pointAt } from "./curve.ts";
import type { SceneBox, SceneEdge, SceneNode } from "./scene.ts";

export interface PlacedBadge {
  badge: Badge;
  /** The node, box or call that it is on. */
  on: string;
  x: number;
  y: number;
}

export const badgeRadius = 12;

/** Nearer to the caller, who injects it; numbers keep to the middle, padlocks to the end. */
const faultPlace = 0.3;

/**
 * Where config acts: on the ring's upper right, one beside the other; a split of several versions once, on their box; a fault that hits some
 * callers only on their calls.
 */
export function badgesOf(
  nodes: readonly SceneNode[],
  boxes: readonly SceneBox[],
  edges: readonly SceneEdge[],
): PlacedBadge[] {
  const onNodes = nodes.flatMap(({ id, node, x, y, r }) =>
    // A gateway is named below its ring.
    node.badges
      .filter((badge) => badge !== "gateway" && !(badge === "split" && node.box !== null))
      .map((badge, index) => {
        const angle = -Math.PI / 4 + index * ((22 * 1.15) / (r + 8));
        return { badge, on: id, x: x + Math.cos(angle) * (r + 8), y: y + Math.sin(angle) * (r + 8) };
      }),
  );
  const onBoxes = boxes.flatMap(({ id, badges, x, y, width }) =>
    badges.map((badge, index) => ({ badge, on: id, x: x + width - 12 - index * 24, y: y + 2 })),
  );
  const onEdges = edges.flatMap(({ id, edge, curve }) =>
    edge.faults?.length ? [{ badge: "fault" as const, on: id, ...pointAt(curve, faultPlace) }] : [],
  );
  return [...onNodes, ...onBoxes, ...onEdges];
}
