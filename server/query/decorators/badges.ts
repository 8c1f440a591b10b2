import type { Decorator } from "../decorator.ts";

/** Shows where config acts: on every version of the service that it acts on, and on gateways. */
export const addBadges: Decorator = (graph, { facts }) => {
  const services = new Map(facts.services.map((service) => [`${service.namespace}/${service.hostname}`, service]));
  for (const node of graph.nodes) {
    const badges = new Set(node.badges);
    for (const { namespace, hostname } of node.services) {
      for (const badge of services.get(`${namespace}/${hostname}`)?.badges ?? []) badges.add(badge);
    }
    if (node.kind === "gateway") badges.add("gateway");
    node.badges = [...badges];
  }
};
