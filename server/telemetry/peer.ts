import { isIP } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { clean, type Peer } from "../wire/peer.ts";

/** What a proxy's node says of itself, once per stream. */
export interface ReporterNode {
  id: string;
  self: Peer;
  /** The DNS domain of its namespace: `default.svc.cluster.local`. */
  domain: string;
  /** `sidecar`, `router` or another type of Istio's ids; empty for an id of another convention. */
  type: string;
  /** Empty: unknown. */
  ip: string;
  serviceAccount: string;
}

/** A node id `sidecar~<ip>~<workload>.<namespace>~<domain>` with its metadata, as Istio's proxies send it. */
export function readNode(node: { id: string; cluster: string; metadata?: JsonObject }): ReporterNode {
  const [type = "", ip = "", idName = "", idDomain] = node.id.split("~");
  const metadata = node.metadata ?? {};
  const labels = metadata.LABELS;
  const label = (name: string) =>
    labels !== null && typeof labels === "object" && !Array.isArray(labels) ? text(labels[name]) : "";
  const dot = idName.lastIndexOf(".");
  const namespace = text(metadata.NAMESPACE) || (dot > 0 ? idName.slice(dot + 1) : "");
  const workload =
    text(metadata.WORKLOAD_NAME) || text(metadata.NAME) || (dot > 0 ? idName.slice(0, dot) : idName) || node.id;
  const ofCluster =
    namespace && node.cluster.endsWith(`.${namespace}`) ? node.cluster.slice(0, -namespace.length - 1) : node.cluster;
  return {
    id: clean(node.id, 512),
    type: idDomain === undefined ? "" : clean(type),
    ip: isIP(ip) === 0 ? "" : ip,
    serviceAccount: clean(text(metadata.SERVICE_ACCOUNT)),
    domain: clean(idDomain || `${namespace}.svc.cluster.local`),
    self: {
      workload: clean(workload),
      namespace: clean(namespace),
      app: clean(label("service.istio.io/canonical-name") || label("app") || ofCluster || workload),
      version: clean(label("service.istio.io/canonical-revision") || label("version") || "latest"),
    },
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
