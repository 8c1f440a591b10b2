import { type Told, told } from "../../contract/told.ts";
import { suggest } from "../../lib/suggest.ts";

const names = "HTTP HTTP2 HTTPS GRPC GRPC-WEB TCP TLS MONGO MYSQL REDIS UDP HTTP_PROXY".split(" ");
const httpNames = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"]);

/** Istio reads protocol names without regard to case. https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/ */
export function protocolError(name: string): Told | undefined {
  if (names.includes(name.toUpperCase())) return undefined;
  const near = suggest(name.toUpperCase(), names);
  const given = { values: names.join(", "), value: JSON.stringify(name) };
  return near === undefined ? told("one-of-not", given) : told("one-of-not-near", { ...given, near });
}

export const isHttpProtocol = (name: string): boolean => httpNames.has(name.toUpperCase());
export const isTlsProtocol = (name: string): boolean => /^(https|tls)$/i.test(name);
