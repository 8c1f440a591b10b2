import type { BadgesThen, Graph } from "../contract/index.ts";

/** A graph of the past with the marks of the config that was in force then; without any where nobody knows them any more. */
export function withBadgesThen(graph: Graph, then: BadgesThen | undefined): Graph {
  const badges = new Map(then?.services.map((one) => [`${one.namespace}/${one.hostname}`, one.badges]));
  const nodes = graph.nodes.map((node) => {
    const own = node.badges.filter((badge) => badge === "gateway");
    const acting = node.services.flatMap(({ namespace, hostname }) => badges.get(`${namespace}/${hostname}`) ?? []);
    const { faults: _, ...rest } = node;
    return { ...rest, badges: [...new Set([...acting, ...own])] };
  });
  // Which calls a fault of then hit is not kept; it stands on the service.
  const edges = graph.edges.map(({ faults: _, ...edge }) => edge);
  return { ...graph, nodes, edges };
}
