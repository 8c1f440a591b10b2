import { healthOf } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";
import { judgedBy } from "../judged-by.ts";

/** A connection's length says nothing of how well it went, and a stream's neither. */
export const addHealth: Decorator = (graph, { facts }) => {
  const byHost = new Map(facts.services.map((service) => [service.hostname, service]));
  for (const edge of graph.edges) edge.signals = judgedBy(byHost.get(edge.service), edge.signals);
  for (const node of graph.nodes) {
    const behind = node.services.map(({ hostname }) => byHost.get(hostname)).find((service) => service?.thresholds);
    node.signals = judgedBy(behind, node.signals);
  }
  const untimed = graph.edges
    .filter(({ protocol }) => protocol !== "http")
    .flatMap(({ source, target }) => [source, target]);
  const mixed = new Set(untimed);
  for (const edge of graph.edges) edge.health = healthOf(edge.signals, { timed: edge.protocol === "http" });
  for (const node of graph.nodes) node.health = healthOf(node.signals, { timed: !mixed.has(node.id) });
};
