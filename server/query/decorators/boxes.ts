import type { Decorator } from "../decorator.ts";

/** Puts the versions of one app into one box; an app with a single node needs none. */
export const addBoxes: Decorator = (graph) => {
  const apps = Map.groupBy(graph.nodes, (node) => `${node.namespace}/${node.app}`);
  for (const [box, nodes] of apps) {
    if (nodes.length > 1) for (const node of nodes) node.box = box;
  }
};
