import type { Decorator } from "../decorator.ts";
import type { MeshFacts } from "../facts.ts";
import { graphNode, type NodeIdentity, nodeId } from "../nodes.ts";
import { Tally } from "../tally.ts";

/** Adds what the registry knows and no traffic was seen of, so that a quiet mesh is not an empty page. */
export const addIdleNodes: Decorator = (graph, { facts }) => {
  const seen = new Set(graph.nodes.map((node) => node.id));
  for (const identity of registered(facts)) {
    if (seen.has(identity.id)) continue;
    seen.add(identity.id);
    graph.nodes.push({ ...graphNode(identity, new Tally().signals(1)), idle: true });
  }
};

function registered(facts: MeshFacts): NodeIdentity[] {
  const gateways = facts.gateways.map(({ namespace, app, version, workload }): NodeIdentity => {
    return { id: nodeId(namespace, app, version), kind: "gateway", namespace, app, version, workload };
  });
  const workloads = facts.services.flatMap(({ namespace, name, hostname, external, versions }) => {
    if (external) {
      const id = nodeId(namespace, hostname, null);
      return [{ id, kind: "external" as const, namespace, app: hostname, version: null, workload: null }];
    }
    return versions.map(({ version, workloads }): NodeIdentity => {
      const id = nodeId(namespace, name, version);
      return { id, kind: "workload", namespace, app: name, version, workload: workloads[0] ?? null };
    });
  });
  return [...gateways, ...workloads];
}
