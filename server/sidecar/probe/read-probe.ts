import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ProbeMethod } from "./ask.ts";
import type { ProbeSchedule } from "./readiness-probe.ts";

export interface ReadProbe {
  method: ProbeMethod;
  schedule: ProbeSchedule;
  timeoutMs: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The probe in a node's metadata `PROXY_CONFIG`, where Istio's bootstraps have it; undefined: there is none. A port that the proxy binds for its application
 * (`INGRESS`) means the application itself: what comes by the proxy says nothing of it.
 */
export function readProbe({ id, metadata = {} }: Pick<Node, "id" | "metadata">): ReadProbe | undefined {
  const { readinessProbe: probe } = fields(metadata.PROXY_CONFIG) ?? {};
  const spec = fields(probe);
  const method = spec && methodOf(spec, addressOf(id, metadata), fields(metadata.INGRESS) ?? {});
  if (spec === undefined || method === undefined) return undefined;
  const at = (name: string, usual: number) => number(spec[name]) || usual;
  return {
    method,
    timeoutMs: at("timeoutSeconds", 1) * 1000,
    schedule: {
      initialDelayMs: at("initialDelaySeconds", 0) * 1000,
      periodMs: at("periodSeconds", 10) * 1000,
      successThreshold: at("successThreshold", 1),
      failureThreshold: at("failureThreshold", 1),
    },
  };
}

function methodOf(spec: Fields, address: string, ingress: Fields): ProbeMethod | undefined {
  const place = (of: Fields) => whereIs(text(of.host), number(of.port), address, ingress);
  const [http, tcp, grpc, exec] = [spec.httpGet, spec.tcpSocket, spec.grpc, spec.exec].map(fields);
  if (http) {
    const headers = Array.isArray(http.httpHeaders) ? http.httpHeaders.map(fields) : [];
    const path = text(http.path) || "/";
    return {
      kind: "http",
      ...place(http),
      path: path.startsWith("/") ? path : `/${path}`,
      tls: text(http.scheme).toUpperCase() === "HTTPS",
      headers: headers.map((header) => ({ name: text(header?.name), value: text(header?.value) })),
    };
  }
  if (tcp) return { kind: "tcp", ...place(tcp) };
  if (grpc) return { kind: "grpc", ...place(grpc), service: text(grpc.service) };
  if (exec && Array.isArray(exec.command) && exec.command.length > 0)
    return { kind: "exec", command: exec.command.map(String) };
  return undefined;
}

function whereIs(host: string, port: number, address: string, ingress: Fields): { host: string; port: number } {
  const [, app, appPort] = /^\[?([^\]]+)\]?:(\d+)$/.exec(text(ingress[String(port)])) ?? [];
  if (host === "" && app !== undefined) return { host: app, port: Number(appPort) };
  return { host: host || address, port };
}

/** Istio's ids have it: `sidecar~<address>~…`. */
function addressOf(id: string, metadata: Fields): string {
  const [first = ""] = text(metadata.INSTANCE_IPS).split(",");
  return first || id.split("~")[1] || "127.0.0.1";
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => (typeof value === "number" ? value : Number(value) || 0);

/** An object, or the text of one, as environment variables have it. */
function fields(value: unknown): Fields | undefined {
  if (typeof value === "string") {
    try {
      return fields(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
