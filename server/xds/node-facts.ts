import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";

/** What a node says of itself, for people: Istio's metadata, else the parts of its id `<role>~<ip>~<name>.<namespace>~<domain>`. */
export interface NodeFacts {
  id: string;
  name: string;
  namespace: string;
  address: string;
  /** Istio's canonical service and revision. https://istio.io/latest/docs/reference/config/labels/ */
  app: string;
  version: string;
  kind: "sidecar" | "gateway";
  /** `envoy 1.40.0` */
  implementation: string;
  /** Where it shows its metrics to Prometheus, at its address; null: it does not say, as proxyless clients don't. */
  metricsPort: number | null;
}

export function nodeFacts(node: Node): NodeFacts {
  const { id, metadata = {} } = node;
  const byId = nodeIdFacts(id);
  const name = textOf(metadata.WORKLOAD_NAME) ?? textOf(metadata.NAME) ?? byId.name;
  const labels = metadata.LABELS;
  const label = (...keys: string[]): string | undefined =>
    typeof labels === "object" && labels !== null && !Array.isArray(labels)
      ? keys.map((key) => textOf(labels[key])).find((value) => value !== undefined)
      : undefined;
  return {
    ...byId,
    name,
    app: label("service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? name,
    version: label("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version") ?? "latest",
    namespace: textOf(metadata.NAMESPACE) ?? byId.namespace,
    metricsPort: portOf(metadata.ENVOY_PROMETHEUS_PORT),
    implementation: [node.userAgentName, versionText(node)].filter(Boolean).join(" "),
  };
}

/** What the id alone tells. */
export function nodeIdFacts(id: string): Omit<NodeFacts, "implementation" | "metricsPort"> {
  const [role = "", address = "", workload = ""] = id.split("~");
  const [name = "", namespace = ""] = workload.split(".");
  const kind = role === "router" ? "gateway" : "sidecar";
  return { id, name: name || id, namespace, address, app: name || id, version: "latest", kind };
}

function versionText({ userAgentVersionType: version }: Node): string {
  if (version.case === "userAgentVersion") return version.value;
  const number = version.case === "userAgentBuildVersion" ? version.value.version : undefined;
  return number ? `${number.majorNumber}.${number.minorNumber}.${number.patch}` : "";
}

/** Istio's proxies say it as a number, others as a text. */
function portOf(value: unknown): number | null {
  const port = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
