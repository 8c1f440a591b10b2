import type { Decorator } from "../decorator.ts";
import type { MeshFacts } from "../facts.ts";
import { nodeId } from "../nodes.ts";

/** Workloads of one WorkloadGroup are one node, as a deployment's pods are: says whose it is, and how many there are. */
export const addGroups: Decorator = (graph, { facts }) => {
  const groups = groupsOf(facts);
  for (const node of graph.nodes) {
    const [group, ...others] = node.kind === "workload" ? (groups.get(node.id) ?? []) : [];
    if (group?.[0] && others.length === 0) node.group = { name: group[0], members: [...group[1]].toSorted() };
  }
};

/** By node: the members of each group; of workloads that somebody wrote, under no name. */
function groupsOf(facts: MeshFacts): Map<string, Map<string, Set<string>>> {
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const { namespace, name, external, versions } of facts.services) {
    if (external) continue;
    for (const { version, apps, endpoints } of versions) {
      for (const app of apps?.length ? apps : [name]) {
        const id = nodeId(namespace, app, version);
        const mine = groups.get(id) ?? new Map<string, Set<string>>();
        groups.set(id, mine);
        for (const { group = "", workload } of endpoints) mine.set(group, (mine.get(group) ?? new Set()).add(workload));
      }
    }
  }
  return groups;
}
