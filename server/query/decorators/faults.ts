import type { Fault, Graph, GraphNode } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";

/**
 * Shows a fault where it acts: on the calls that it hits, or on the place that they go to when it hits all of them. Only where nobody knows
 * the faults does the badge of the config stand for them.
 */
export const addFaults: Decorator = (graph, { facts }) => {
  if (!facts.faults) return;
  for (const node of graph.nodes) node.badges = node.badges.filter((badge) => badge !== "fault");
  for (const fault of facts.faults) place(graph, fault);
};

function place(graph: Graph, fault: Fault): void {
  const { hostname, namespace } = fault;
  if (hostname === null) return;
  const isTarget = (node: GraphNode) =>
    node.services.some((service) => service.hostname === hostname && service.namespace === namespace);
  const targets = new Map(graph.nodes.filter(isTarget).map((node) => [node.id, node]));
  const sources = new Map(graph.nodes.map((node) => [node.id, node]));
  const calls = graph.edges.filter(
    ({ target, to }) => targets.has(target) && (to === null || to.hostname === hostname),
  );
  const hit = calls.filter((edge) => isHit(fault, sources.get(edge.source)));
  if (hit.length === calls.length && !fault.source) for (const node of targets.values()) mark(node, fault);
  else for (const edge of hit) edge.faults = [...(edge.faults ?? []), fault.id];
}

function mark(node: GraphNode, { id }: Fault): void {
  node.faults = [...(node.faults ?? []), id];
  if (!node.badges.includes("fault")) node.badges = [...node.badges, "fault"];
}

/** Whether it is in force where this caller comes from; a caller without a proxy has nothing that could inject it. */
function isHit({ source, through }: Fault, caller: GraphNode | undefined): boolean {
  if (!caller) return false;
  const place = caller.kind === "gateway" ? through.some((name) => name !== "mesh") : through.includes("mesh");
  if (!place || caller.kind === "source") return false;
  return (
    !source ||
    (source.namespace === caller.namespace &&
      source.app === caller.app &&
      (source.version === null || source.version === caller.version))
  );
}
