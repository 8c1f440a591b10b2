import { isIP } from "node:net";
import { type FieldError, fail, ok, type Result } from "../lib/result.ts";
import { canonicalRevision, canonicalService } from "./labels.ts";
import { type Interception, interceptions, type MeshProxy } from "./proxy.ts";

/** Of `envoy.config.core.v3.Node` what identifies a proxy; `metadata` as a plain object. */
export interface ProxyNode {
  id: string;
  cluster: string;
  metadata: Readonly<Record<string, unknown>>;
  userAgentName: string;
  clientFeatures?: readonly string[];
  /** The stream it opened is an incremental one. */
  delta: boolean;
  locality?: { region: string; zone: string; subZone: string } | undefined;
  /** Everything comes on that stream (the default), or each type on one of its own. */
  aggregated?: boolean;
  /** The SPIFFE id of the certificate that it opened the stream with. */
  identity?: string;
}

/** What bootstraps of Istio's agent, and ours, call the control plane. */
const istioXdsCluster = "xds-grpc";

/** How our own sidecar calls itself, and within an application. */
const bundled = new Set(["limpid-sidecar", "limpid-sdk"]);

const leasing = ["xds.config.supports-resource-ttl", "dev.limpid.fault-leases"];

/** Reads a node as Envoy, our sidecar and Istio's agent send it. All that is wrong with it at once, by path. */
export function parseProxy(node: ProxyNode): Result<MeshProxy> {
  const errors: FieldError[] = [];
  const { metadata } = node;
  const id = node.id === "" || node.id.includes("~") ? istioId(node.id, errors) : plainId(node);
  if (!id) return fail(...errors);
  const { type, ip, domain } = id;
  const name = text(metadata.WORKLOAD_NAME) ?? id.name;
  const namespace = text(metadata.NAMESPACE) ?? id.namespace;
  const labels = labelsOf(metadata.LABELS, errors);
  const proxy: MeshProxy = {
    id: node.id,
    type,
    ip,
    name,
    namespace,
    domain,
    labels,
    facts: factsOf(metadata),
    locality: localityOf(node.locality, labels),
    serviceAccount: text(metadata.SERVICE_ACCOUNT) ?? "default",
    identity: node.identity,
    canonicalService: canonicalService(labels, name),
    canonicalRevision: canonicalRevision(labels),
    interception: interceptionOf(metadata.INTERCEPTION_MODE, errors),
    httpProxyPort: port(metadata.HTTP_PROXY_PORT, 15001, "HTTP_PROXY_PORT", errors),
    ingress: ingressOf(metadata.INGRESS, errors),
    portOffset: integer(metadata.PORT_OFFSET, 0, 65_535, 0, "PORT_OFFSET", errors),
    unprivileged: String(metadata.UNPRIVILEGED_POD ?? "") === "true",
    proxyless: text(metadata.GENERATOR) === "grpc",
    delta: node.delta,
    xdsCluster: node.aggregated === false ? (text(metadata.XDS_CLUSTER) ?? istioXdsCluster) : undefined,
    secretsFolder: folder(metadata.SECRETS_FOLDER, "SECRETS_FOLDER", errors),
    bundled: bundled.has(node.userAgentName),
    faultLeases: leasing.every((feature) => node.clientFeatures?.includes(feature)),
  };
  return errors.length > 0 ? fail(...errors) : ok(proxy);
}

/** Istio's default is REDIRECT: a stock sidecar says nothing. */
function interceptionOf(value: unknown, errors: FieldError[]): Interception {
  if (value === undefined || value === null || value === "") return "REDIRECT";
  const known = interceptions.find((mode) => mode === value);
  if (known) return known;
  const message = `${JSON.stringify(value)} is not supported: ${interceptions.join(", ")}`;
  errors.push({ path: "node.metadata.INTERCEPTION_MODE", message });
  return "REDIRECT";
}

/** Istio's label has dots, as a label may have no slashes. */
function localityOf(locality: ProxyNode["locality"], labels: MeshProxy["labels"]): string {
  const said = [locality?.region, locality?.zone, locality?.subZone];
  const topology = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];
  const label = labels["istio-locality"]?.split(/[./]/);
  const parts = said[0] ? said : (label ?? topology.map((name) => labels[name]));
  return parts.slice(0, parts.findLastIndex((part) => part) + 1).join("/");
}

type NodeId = Pick<MeshProxy, "type" | "ip" | "name" | "namespace" | "domain">;

function istioId(id: string, errors: FieldError[]): NodeId | undefined {
  const parts = id.split("~");
  const [type, ip, workload, domain] = parts;
  if (parts.length !== 4 || !ip || !workload || !domain || (type !== "sidecar" && type !== "router")) {
    const message = `"${id}" is not of the form sidecar~<ip>~<workload>.<namespace>~<domain> (or router~…)`;
    errors.push({ path: "node.id", message });
    return undefined;
  }
  if (isIP(ip) === 0) errors.push({ path: "node.id", message: `"${ip}" is not an IP address` });
  const dot = workload.lastIndexOf(".");
  if (dot < 1) errors.push({ path: "node.id", message: `"${workload}" is not of the form <workload>.<namespace>` });
  return { type, ip, name: workload.slice(0, dot), namespace: workload.slice(dot + 1), domain };
}

/** A bootstrap written by hand, or a gRPC application's, names itself as it likes: what Istio has in the id is then in the metadata, or usual. */
function plainId({ id, metadata }: ProxyNode): NodeId {
  const [first = ""] = (text(metadata.INSTANCE_IPS) ?? "").split(",");
  const namespace = text(metadata.NAMESPACE) ?? "default";
  return {
    type: "sidecar",
    ip: isIP(first) === 0 ? "127.0.0.1" : first,
    name: text(metadata.NAME) ?? id,
    namespace,
    domain: `${namespace}.svc.cluster.local`,
  };
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function folder(value: unknown, name: string, errors: FieldError[]): string | undefined {
  const path = text(value);
  if (path === undefined || (path.startsWith("/") && path.length <= 4_096 && !path.includes("\0"))) return path;
  errors.push({ path: `node.metadata.${name}`, message: "must be an absolute path" });
  return undefined;
}

const port = (value: unknown, otherwise: number, name: string, errors: FieldError[]): number =>
  integer(value, 1, 65_535, otherwise, name, errors);

/** A Struct has no integers, and environment variables only strings: both are taken. */
function integer(
  value: unknown,
  min: number,
  max: number,
  otherwise: number,
  name: string,
  errors: FieldError[],
): number {
  if (value === undefined || value === null || value === "") return otherwise;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  errors.push({ path: `node.metadata.${name}`, message: `must be an integer from ${min} to ${max}` });
  return otherwise;
}

/** Bounded, since a node says of itself what it likes, and this is kept for as long as it is connected. */
const mostFacts = 64;
const longestFact = 1_024;

function factsOf(metadata: ProxyNode["metadata"]): Record<string, string> {
  const texts = Object.entries(metadata).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" && value.length <= longestFact ? [[name, value]] : [],
  );
  return Object.fromEntries(texts.slice(0, mostFacts));
}

function labelsOf(value: unknown, errors: FieldError[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, label] of entries(value, "LABELS", errors)) {
    if (typeof label === "string") labels[key] = label;
    else errors.push({ path: `node.metadata.LABELS.${key}`, message: "must be a string" });
  }
  return labels;
}

function ingressOf(value: unknown, errors: FieldError[]): Record<number, { address: string; port: number }> {
  const ingress: Record<number, { address: string; port: number }> = {};
  for (const [key, target] of entries(value, "INGRESS", errors)) {
    const bind = port(key, 0, `INGRESS.${key}`, errors);
    const match = typeof target === "string" ? /^\[?([^\]]+)\]?:(\d+)$/.exec(target) : null;
    const to = Number(match?.[2]);
    if (match?.[1] && to >= 1 && to <= 65_535) ingress[bind] = { address: match[1], port: to };
    else errors.push({ path: `node.metadata.INGRESS.${key}`, message: "must be <address>:<port>" });
  }
  return ingress;
}

function entries(value: unknown, name: string, errors: FieldError[]): [string, unknown][] {
  const parsed = typeof value === "string" && value !== "" ? parseJson(value) : value;
  if (parsed === undefined || parsed === null || parsed === "") return [];
  if (typeof parsed === "object" && !Array.isArray(parsed)) return Object.entries(parsed);
  errors.push({ path: `node.metadata.${name}`, message: "must be an object" });
  return [];
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
