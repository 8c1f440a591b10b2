import type { Endpoint } from "./endpoints.ts";
import type { Mesh } from "./mesh.ts";
import { mutualTlsMode } from "./peer-authentications.ts";

/** Istio's injector labels so what has a proxy that takes mutual TLS; on a WorkloadEntry people do. https://istio.io/latest/docs/ops/configuration/traffic-management/tls-configuration/#auto-mtls */
export const mutualTlsLabel = "security.istio.io/tlsMode";

/** Whether it takes the mesh's mutual TLS, so that clients come by it without being asked. */
export const takesMutualTls = (mesh: Mesh, { labels, workload, port }: Endpoint): boolean =>
  labels[mutualTlsLabel] === "istio" &&
  mutualTlsMode(mesh.peerAuthentications, mesh.options.rootNamespace, { ...workload, labels }, port) !== "DISABLE";
