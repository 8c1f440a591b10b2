import type { Graph, ProxySync } from "../../server/contract/index.ts";

type Named = Pick<ProxySync, "namespace" | "name">;

const keyOf = ({ namespace, name }: Named): string => `${namespace}/${name}`;

/** Those that should be connected and are not, without workloads that have another by now. */
export function goneOf<Proxy extends Named & Pick<ProxySync, "connected">>(proxies: readonly Proxy[]): Proxy[] {
  const there = new Set(proxies.filter(({ connected }) => connected).map(keyOf));
  return proxies.filter((proxy) => !proxy.connected && !there.has(keyOf(proxy)));
}

/** Those before the workloads that the nodes stand for. */
export function goneBefore<Proxy extends Named>(nodes: Graph["nodes"], gone: readonly Proxy[]): Proxy[] {
  const workloads = new Set(nodes.map(({ namespace, workload }) => `${namespace}/${workload}`));
  return gone.filter((proxy) => workloads.has(keyOf(proxy)));
}

/** The graph in which each workload whose proxy is gone says so. */
export function withGoneProxies<G extends Pick<Graph, "nodes">>(graph: G, gone: readonly Named[]): G {
  if (gone.length === 0) return graph;
  const nodes = graph.nodes.map((node) =>
    goneBefore([node], gone).length === 0 ? node : { ...node, badges: ["proxy-gone" as const, ...node.badges] },
  );
  return { ...graph, nodes };
}
