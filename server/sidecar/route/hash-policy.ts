import { isIP } from "node:net";
import type {
  RouteAction_HashPolicy_Cookie as Cookie,
  RouteAction_HashPolicy as HashPolicy,
  RouteAction_HashPolicy_Header as Header,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { at, each } from "../config/problems.ts";
import { type Bits64, hex64, Word64 } from "../hash/word64.ts";
import { xxHash64 } from "../hash/xx-hash64.ts";
import { getJoined, toWire } from "../http/headers.ts";
import type { DownstreamFacts } from "../http/stream.ts";
import { queryParameter } from "../match/query-matcher.ts";
import { type RequestView, viewHeader } from "../match/request-view.ts";
import { hostPort } from "../text/host-port.ts";
import { compileSubstitution } from "../text/regex.ts";
import { cookieValue, type NewCookie, setCookie } from "./cookie.ts";

/** What a request goes by, and the `set-cookie` values that lead its client back there. */
export interface RouteHash {
  readonly hash: Bits64 | undefined;
  readonly cookies: readonly string[];
}

/** Where a request comes from. */
export interface RequestSource {
  readonly connection: DownstreamFacts;
  /** At the edge the client's address is the connection's; elsewhere it is what the edge has written into x-forwarded-for, as in Envoy. */
  readonly atEdge: boolean;
}

export type RouteHasher = (request: RequestView, source: RequestSource) => RouteHash;

/** Undefined: nothing was there to hash. `cookies` takes those that the client is to get. */
type Part = (request: RequestView, source: RequestSource, cookies: string[]) => Bits64 | undefined;

/**
 * What a route's requests are balanced by; undefined when it says nothing of it. Throws an Error naming the field.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-hashpolicy
 */
export function compileHashPolicy(policies: readonly HashPolicy[]): RouteHasher | undefined {
  const parts = each("hash_policy", policies, (policy) => ({ part: compilePart(policy), terminal: policy.terminal }));
  if (parts.length === 0) return undefined;
  return (request, source) => {
    const cookies: string[] = [];
    let hash: Word64 | undefined;
    for (const { part, terminal } of parts) {
      const next = part(request, source, cookies);
      // Turned by one bit each time, so that equal parts do not cancel each other out.
      if (next !== undefined) hash = hash === undefined ? new Word64(next) : hash.rotate(1).xor(next);
      if (terminal && hash !== undefined) break;
    }
    return { hash, cookies };
  };
}

function compilePart({ policySpecifier: specifier }: HashPolicy): Part {
  switch (specifier.case) {
    case "header":
      return at("header", () => headerPart(specifier.value));
    case "cookie":
      return at("cookie", () => cookiePart(specifier.value));
    case "connectionProperties":
      return specifier.value.sourceIp ? (request, source) => hashOf(clientAddress(request, source)) : () => undefined;
    case "queryParameter": {
      const name = named("query_parameter.name", specifier.value.name);
      return (request) => hashOf(queryParameter(request, name));
    }
    case "filterState":
      throw new Error("filter_state: not supported");
    default:
      throw new Error("policy_specifier: required");
  }
}

function clientAddress({ headers }: RequestView, { connection, atEdge }: RequestSource): string {
  const forwarded = atEdge ? undefined : getJoined(headers, "x-forwarded-for")?.split(",").at(-1)?.trim();
  return forwarded !== undefined && isIP(forwarded) !== 0 ? forwarded : connection.remoteAddress;
}

const hashOf = (text: string | undefined): Bits64 | undefined => (text === undefined ? undefined : xxHash64(text));

/** All values in their own order, so that it does not matter in which one they were sent. */
function headerPart({ headerName, regexRewrite }: Header): Part {
  const name = named("header_name", headerName).toLowerCase();
  const rewrite = regexRewrite && at("regex_rewrite", () => compileSubstitution(regexRewrite));
  return (request) => {
    const values = headerValues(request, name);
    if (values.length === 0) return undefined;
    // Each is the seed of the next, as in Envoy.
    const sorted = (rewrite ? values.map(rewrite) : values).sort();
    return sorted.reduce<Bits64 | undefined>((seed, value) => xxHash64(value, seed), undefined);
  };
}

function headerValues(request: RequestView, name: string): string[] {
  const { headers } = request;
  if (name.startsWith(":") || name === "host") return [viewHeader(request, name) ?? ""];
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name);
}

/** Without the cookie a client gets one, if it says how long it lives: of the connection, so that requests side by side get the same. */
function cookiePart({ name: given, ttl, path, attributes }: Cookie): Part {
  const name = toWire(named("name", given));
  const cookie: Omit<NewCookie, "value"> | undefined = ttl && {
    name,
    maxAgeSeconds: ttl.seconds,
    path: toWire(path),
    attributes: attributes.map((it) => ({ name: toWire(it.name), value: toWire(it.value) })),
  };
  return ({ headers }, { connection }, cookies) => {
    const sent = cookieValue(headers, name);
    if (sent !== "") return xxHash64(sent);
    if (cookie === undefined) return undefined;
    const { remoteAddress, remotePort, localAddress, localPort } = connection;
    const value = hex64(xxHash64(hostPort(remoteAddress, remotePort) + hostPort(localAddress, localPort)));
    cookies.push(setCookie({ ...cookie, value }));
    return xxHash64(value);
  };
}

function named(field: string, name: string): string {
  if (name === "") throw new Error(`${field}: required`);
  return name;
}
