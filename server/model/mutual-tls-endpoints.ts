import type { Endpoint } from "./endpoints.ts";
import type { Labels } from "./labels.ts";
import type { Mesh } from "./mesh.ts";
import { mutualTlsMode } from "./peer-authentications.ts";

/** Istio's injector labels so what has a proxy that takes mutual TLS; on a WorkloadEntry people do. https://istio.io/latest/docs/ops/configuration/traffic-management/tls-configuration/#auto-mtls */
const mutualTlsLabel = "security.istio.io/tlsMode";

/**
 * Whether it says that it has a proxy that takes mutual TLS: by its label, else, as for Istio, by having a service account. What registered itself as one
 * of a WorkloadGroup has one in any case, with a certificate or without: there the label alone counts.
 */
export const offersMutualTls = (
  labels: Labels,
  { serviceAccount, group }: { serviceAccount: string; group?: string | undefined },
): boolean => (mutualTlsLabel in labels ? labels[mutualTlsLabel] === "istio" : serviceAccount !== "" && !group);

/** Whether it takes the mesh's mutual TLS, so that clients come by it without being asked. */
export const takesMutualTls = (mesh: Mesh, { labels, workload, port }: Endpoint): boolean =>
  offersMutualTls(labels, workload) &&
  mutualTlsMode(mesh.peerAuthentications, mesh.options.rootNamespace, { ...workload, labels }, port) !== "DISABLE";
