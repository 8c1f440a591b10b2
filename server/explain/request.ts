import { BlockList, isIP } from "node:net";
import { DashboardError, type Told, told } from "../contract/index.ts";
import type { Token } from "../sidecar/filters/jwt/token.ts";
import { getHeader, setHeader } from "../sidecar/http/headers.ts";
import type { RequestView } from "../sidecar/match/request-view.ts";

import { parseExplainToken } from "./token.ts";

/** What is asked about: a request, or (`tcp`) a connection of which nothing but its ends and its handshake is known. */
export interface ExplainRequest extends RequestView {
  readonly kind: "http" | "tcp";
  /** Where it goes to, as far as the address says: a name, or an IP address. */
  readonly host: string;
  readonly port: number;
  /** The client begins with a TLS handshake, in which it asks for this name and offers these protocols. */
  readonly tls: { readonly serverName: string; readonly applicationProtocols: readonly string[] } | undefined;
  /** The SPIFFE id that the client's certificate has; "": it shows none. */
  readonly identity: string;
  /** Where the connection comes from; "": not known. */
  readonly remoteAddress: string;
  /** Null: it has none; undefined: nobody said. Its signature is taken for good. */
  readonly token: Token | null | undefined;
  /** When it is sent, Unix seconds: what tokens last until. */
  readonly nowSec: number;
}

/**
 * @param url `http://reviews:9080/x`, `https://…` or `tcp://host:port`; without a scheme it is http
 * @param headers `name: value`, a line each; `Host` in place of the URL's
 * Throws INVALID, which names the field.
 */
export function parseExplainRequest(asked: {
  url: string;
  method: string;
  headers: string;
  identity: string;
  /** As `ExplainQuery` has it. */
  token?: string;
  /** Unix milliseconds. */
  nowMs?: number;
}): ExplainRequest {
  const url = parseUrl(asked.url);
  const kind = url.protocol === "tcp:" ? "tcp" : "http";
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (kind === "tcp" && url.port === "") throw wrong("url", told("url-port", { url: asked.url, host }));
  const headers = parseHeaders(asked.headers);
  const authority = getHeader(headers, "host") ?? url.host;
  const rest = headers.filter((_, i) => headers[i - (i % 2)] !== "host");
  return {
    kind,
    method: asked.method.toUpperCase(),
    scheme: secure ? "https" : "http",
    authority,
    path: kind === "tcp" ? "" : `${url.pathname}${url.search}`,
    headers: rest,
    host,
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    tls: secure
      ? { serverName: isIP(host) ? "" : host.toLowerCase(), applicationProtocols: ["h2", "http/1.1"] }
      : undefined,
    identity: asked.identity,
    remoteAddress: "",
    token: asked.token === "none" ? null : parseExplainToken(asked.token ?? ""),
    nowSec: Math.floor((asked.nowMs ?? Date.now()) / 1000),
  };
}

const wrong = (path: string, said: Told): DashboardError =>
  new DashboardError({ code: "INVALID", ...said, message: `${path}: ${said.message}`, errors: [{ path, ...said }] });

const schemes = new Set(["http:", "https:", "tcp:"]);

function parseUrl(text: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.parse(whole);
  if (url === null || url.hostname === "") throw wrong("url", told("url-form", { url: JSON.stringify(text) }));
  if (!schemes.has(url.protocol)) throw wrong("url", told("url-scheme", { scheme: url.protocol }));
  return url;
}

/** Flat, names in lower case; a header that comes twice stands twice. */
function parseHeaders(text: string): string[] {
  const flat: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw wrong("headers", told("header-form", { line: JSON.stringify(line) }));
    flat.push(name.toLowerCase(), value);
  }
  return flat;
}

/** The request as the next hop gets it. */
export function forwardedRequest(
  request: ExplainRequest,
  change: {
    path: string | null;
    authority: string | null;
    peer: Pick<ExplainRequest, "tls" | "identity" | "remoteAddress" | "host" | "port">;
  },
): ExplainRequest {
  const headers = [...request.headers];
  const path = change.path ?? request.path;
  if (path !== request.path && getHeader(headers, "x-envoy-original-path") === undefined)
    setHeader(headers, "x-envoy-original-path", request.path);
  return {
    ...request,
    ...change.peer,
    path,
    authority: change.authority ?? request.authority,
    headers,
    scheme: "http",
  };
}

/** Whether two addresses are the same one, however they are written. */
export function sameAddress(a: string, b: string): boolean {
  if (a === b) return true;
  const [family, other] = [isIP(a), isIP(b)];
  if (family === 0 || family !== other) return false;
  const list = new BlockList();
  list.addAddress(a, family === 6 ? "ipv6" : "ipv4");
  return list.check(b, family === 6 ? "ipv6" : "ipv4");
}
