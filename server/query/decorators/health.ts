import { healthOf } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";

/** A connection's length says nothing of how well it went, and a stream's neither. */
export const addHealth: Decorator = (graph) => {
  const untimed = graph.edges
    .filter(({ protocol }) => protocol !== "http")
    .flatMap(({ source, target }) => [source, target]);
  const mixed = new Set(untimed);
  for (const edge of graph.edges) edge.health = healthOf(edge.signals, { timed: edge.protocol === "http" });
  for (const node of graph.nodes) node.health = healthOf(node.signals, { timed: !mixed.has(node.id) });
};
