import type { GraphNode, MeshService, ProxySaturation, Saturation } from "../../server/contract/index.ts";

/** The fullest of the proxies of some nodes of the graph. */
export const fullestOf = (
  saturation: Saturation | undefined,
  nodes: readonly Pick<GraphNode, "namespace" | "workload">[],
): ProxySaturation | undefined =>
  saturation?.proxies.find((proxy) =>
    nodes.some(({ namespace, workload }) => namespace === proxy.namespace && workload === proxy.workload),
  );

/** The fullest first, as they come, of the proxies of a service's workloads. */
export const proxiesOf = (
  saturation: Saturation | undefined,
  { namespace, versions }: Pick<MeshService, "namespace" | "versions">,
): ProxySaturation[] => {
  const workloads = new Set(versions.flatMap((version) => version.workloads));
  return (saturation?.proxies ?? []).filter((proxy) => proxy.namespace === namespace && workloads.has(proxy.workload));
};
