export type Protocol =
  | "HTTP"
  | "HTTP2"
  | "GRPC"
  | "GRPC-Web"
  | "HTTP_PROXY"
  | "HTTPS"
  | "TLS"
  | "TCP"
  | "Mongo"
  | "Redis"
  | "MySQL"
  | "UDP"
  /** Not declared: HTTP or TCP, found out per connection where that is possible. */
  | "auto";

const byName: Readonly<Record<string, Protocol>> = {
  http: "HTTP",
  http2: "HTTP2",
  grpc: "GRPC",
  "grpc-web": "GRPC-Web",
  http_proxy: "HTTP_PROXY",
  https: "HTTPS",
  tls: "TLS",
  tcp: "TCP",
  mongo: "Mongo",
  redis: "Redis",
  mysql: "MySQL",
  udp: "UDP",
};

/** Kubernetes' standard application protocols. https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol */
const byAppProtocol: Readonly<Record<string, Protocol>> = {
  "kubernetes.io/h2c": "HTTP2",
  "kubernetes.io/ws": "HTTP",
  "kubernetes.io/wss": "HTTPS",
};

/** `appProtocol` first, then the port's name up to the first dash. https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/ */
export function portProtocol(port: { name?: string; protocol?: string; appProtocol?: string }): Protocol {
  // SCTP is no more part of the mesh than UDP is.
  if (port.protocol === "UDP" || port.protocol === "SCTP") return "UDP";
  if (port.appProtocol) {
    const app = port.appProtocol.toLowerCase();
    return byAppProtocol[app] ?? byName[app] ?? "auto";
  }
  const name = (port.name ?? "").toLowerCase();
  if (name === "grpc-web" || name.startsWith("grpc-web-")) return "GRPC-Web";
  return byName[name.split("-")[0] ?? ""] ?? "auto";
}

/** For kinds that name the protocol outright: ServiceEntry and Gateway ports. */
export const parseProtocol = (name: string | undefined): Protocol => byName[(name ?? "").toLowerCase()] ?? "auto";

export const isHttp = (protocol: Protocol): boolean =>
  ["HTTP", "HTTP2", "GRPC", "GRPC-Web", "HTTP_PROXY"].includes(protocol);

export const isHttpOrAuto = (protocol: Protocol): boolean => protocol === "auto" || isHttp(protocol);

export const isHttp2 = (protocol: Protocol): boolean => ["HTTP2", "GRPC", "GRPC-Web"].includes(protocol);

/** TLS that is passed on as it is, told apart by its server name. */
export const isTls = (protocol: Protocol): boolean => protocol === "HTTPS" || protocol === "TLS";

/** Carried byte by byte: neither HTTP nor TLS. */
export const isTcp = (protocol: Protocol): boolean => ["TCP", "Mongo", "Redis", "MySQL"].includes(protocol);
