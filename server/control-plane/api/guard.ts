import { isAllowedHost } from "../../lib/allowed-host.ts";
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

/** Throws unless the call comes from where it says. An `Origin` means that a web page sent it. */
export function checkCaller(headers: Headers, options: GuardOptions): void {
  if (!isAllowedHost(headers.host, options.allowedHosts)) {
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
