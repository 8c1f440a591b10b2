import { serviceLink } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";
import { NodeNames } from "../nodes.ts";

/** Which of the registry's services a node stands behind, and which one a call is addressed to: what links are made of. */
export const addServices: Decorator = (graph, { facts }) => {
  const names = new NodeNames(facts);
  const namespaces = new Map(graph.nodes.map(({ id, namespace }) => [id, namespace]));
  for (const node of graph.nodes) node.services = names.servicesOf(node).map(serviceLink);
  for (const edge of graph.edges) {
    const service = names.service(edge.service, namespaces.get(edge.target) ?? "");
    edge.to = service ? serviceLink(service) : null;
  }
};
