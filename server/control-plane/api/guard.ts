import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { StatusError, unsupportedMediaType } from "./status-error.ts";

export interface GuardOptions {
  /** Host names, without port, that are served beside the loopback ones. */
  allowedHosts: readonly string[];
  /** Whole origins such as `https://mesh.example.com`; none by default: no web page has business here. */
  allowedOrigins: readonly string[];
}

interface Headers {
  host?: string | undefined;
  origin?: string | undefined;
}

/** Media types that a web page can only send after a CORS preflight, which is never granted. */
const bodyTypes = [
  "application/json",
  "application/yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "application/vnd.kubernetes.protobuf",
];

/**
 * Throws unless the call comes from where it says. A foreign `Host` means DNS rebinding: a web page whose own name was pointed at this
 * machine. An `Origin` means that a web page sent it. https://en.wikipedia.org/wiki/DNS_rebinding
 */
export function checkCaller(headers: Headers, options: GuardOptions): void {
  if (headers.host === undefined || !isAllowedHost(headers.host, options.allowedHosts)) {
    throw new StatusError(403, "Forbidden", `the Host header "${headers.host ?? ""}" is not served here`);
  }
  if (headers.origin !== undefined && !options.allowedOrigins.includes(headers.origin)) {
    throw new StatusError(403, "Forbidden", `requests from the origin "${headers.origin}" are not allowed`);
  }
}

/** Throws 415 for a body whose type a plain HTML form could have sent, or that nobody here can read. */
export function checkContentType(method: string, contentType: string, hasBody: boolean): void {
  const needed = method === "POST" || method === "PUT" || method === "PATCH" || hasBody;
  if (needed && !bodyTypes.includes(contentType)) throw unsupportedMediaType(bodyTypes);
}

/** The part of a Content-Type before its parameters. */
export const mediaType = (header: string | undefined): string =>
  (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

export function isAllowedHost(header: string, allowed: readonly string[]): boolean {
  const name = hostName(header);
  if (name === undefined) return false;
  if (name === "localhost" || name.endsWith(".localhost")) return true; // RFC 6761 §6.3: always loopback
  if (isIP(name) !== 0) return ipaddr.process(name).range() === "loopback" || allowed.includes(name);
  return allowed.includes(name);
}

/** The host of `host[:port]` in lower case, brackets of IPv6 removed; undefined when it is none. */
function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}
