import type { Badge } from "../../server/contract/index.ts";
import type { SceneBox, SceneNode } from "./scene.ts";

export interface PlacedBadge {
  badge: Badge;
  /** The node or box that it is on. */
  on: string;
  x: number;
  y: number;
}

export const badgeRadius = 12;

/** Where config acts: on the ring's upper right, one beside the other; a split of several versions once, on their box. */
export function badgesOf(nodes: readonly SceneNode[], boxes: readonly SceneBox[]): PlacedBadge[] {
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
  return [...onNodes, ...onBoxes];
}
