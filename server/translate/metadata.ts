import type { JsonObject } from "@bufbuild/protobuf";
import { formatPeer } from "../wire/peer.ts";

/** Telemetry's name for a workload, in endpoint metadata and in the `x-limpid-peer` header. */
export const workloadId = (
  workload: { name: string; namespace: string; canonicalService: string; canonicalRevision: string },
  clusterId: string,
): string =>
  formatPeer(
    {
      workload: workload.name,
      namespace: workload.namespace,
      app: workload.canonicalService,
      version: workload.canonicalRevision,
    },
    clusterId,
  );

/** Envoy metadata under Istio's key: from a route or cluster back to the resource that it came from. */
export const istioMetadata = (fields: JsonObject): { filterMetadata: Record<string, JsonObject> } => ({
  filterMetadata: { istio: fields },
});

export const configPath = (kind: "virtual-service" | "destination-rule", namespace: string, name: string): string =>
  `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
