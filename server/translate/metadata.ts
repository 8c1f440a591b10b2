import type { JsonObject } from "@bufbuild/protobuf";

/** Telemetry's name for a workload, in endpoint metadata and in the `x-limpid-peer` header. */
export const workloadId = (
  workload: { name: string; namespace: string; canonicalService: string; canonicalRevision: string },
  clusterId: string,
): string =>
  [workload.name, workload.namespace, workload.canonicalService, workload.canonicalRevision, clusterId].join(";");

/** Envoy metadata under Istio's key: from a route or cluster back to the resource that it came from. */
export const istioMetadata = (fields: JsonObject): { filterMetadata: Record<string, JsonObject> } => ({
  filterMetadata: { istio: fields },
});

export const configPath = (kind: "virtual-service" | "destination-rule", namespace: string, name: string): string =>
  `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
