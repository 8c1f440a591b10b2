import { type Cluster, ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { mergedSocket } from "./listener-patches.ts";
import { merged } from "./merge.ts";
import { isIn, type Patch, type PatchContext } from "./patch-set.ts";

/** Undefined: it is removed. */
export function patchCluster(
  cluster: Cluster,
  patches: readonly Patch<Cluster>[],
  context: PatchContext,
): Cluster | undefined {
  let result = cluster;
  for (const patch of patches) {
    if (!isIn(patch, context) || !isCluster(cluster, patch)) continue;
    if (patch.operation === "REMOVE") return undefined;
    if (patch.operation === "MERGE" && patch.value) result = mergeCluster(result, patch.value);
  }
  return result;
}

/** Names are `<direction>|<port>|<subset>|<host>`. */
function isCluster({ name }: Cluster, { match: { cluster: wanted } }: Patch<Cluster>): boolean {
  if (wanted === undefined) return true;
  if (wanted.name !== undefined) return wanted.name === name;
  const [, port, subset, host] = name.split("|");
  return (
    (wanted.portNumber === undefined || wanted.portNumber === Number(port)) &&
    (wanted.subset === undefined || wanted.subset === subset) &&
    (wanted.service === undefined || wanted.service === host)
  );
}

/**
 * TLS settings of the same kind are changed, of another kind replaced: those of the cluster, or those that its endpoints choose by what they are.
 * https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-Operation
 */
function mergeCluster(cluster: Cluster, value: Cluster): Cluster {
  const { transportSocket, ...rest } = merged(ClusterSchema, cluster, value);
  const socket = value.transportSocket;
  if (socket === undefined) return { ...rest, ...(transportSocket && { transportSocket }) };
  if (rest.transportSocketMatches.length > 0) {
    const transportSocketMatches = rest.transportSocketMatches.map((match) => {
      const own = mergedSocket(match.transportSocket, socket);
      return own ? { ...match, transportSocket: own } : match;
    });
    return { ...rest, transportSocketMatches };
  }
  return { ...rest, transportSocket: mergedSocket(cluster.transportSocket, socket) ?? socket };
}
