import type { Decorator } from "../decorator.ts";
import type { MeshFacts } from "../facts.ts";
import { externalNode, graphNode, type NodeIdentity, nodeId } from "../nodes.ts";
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
    if (external) return [externalNode(namespace, hostname)];
    // By the names that telemetry has for them, or each would be there twice once it is called.
    return versions.flatMap(({ version, workloads, apps }) =>
      (apps?.length ? apps : [name]).map((app): NodeIdentity => {
        const id = nodeId(namespace, app, version);
        return { id, kind: "workload", namespace, app, version, workload: workloads[0] ?? null };
      }),
    );
  });
  return [...gateways, ...workloads];
}
