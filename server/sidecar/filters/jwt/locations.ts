import type { JwtProvider } from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { getHeader, getJoined, removeHeader } from "../../http/headers.ts";
import { queryValue, withoutQueryValue } from "../../match/query-string.ts";
import type { RequestContext } from "../../request/filter.ts";
import { cookieValue } from "../../route/cookie.ts";

/** A token as it was found. */
export interface Found {
  readonly text: string;
  /** Whether the place is for tokens of an issuer. */
  allows(issuer: string): boolean;
  /** Takes it out of the request. */
  remove(): void;
}

interface Place {
  readonly kind: "header" | "parameter" | "cookie";
  readonly name: string;
  /** Of a header's value, before the token. */
  readonly prefix: string;
  readonly issuers: Set<string>;
}

/** Where tokens of some providers stand. */
export class Locations {
  private readonly places: readonly Place[];
  /** Fields that only this filter may write. */
  private readonly own: readonly string[];

  constructor(providers: readonly JwtProvider[]) {
    const places = new Map<string, Place>();
    for (const provider of providers) {
      for (const [kind, name, prefix] of placesOf(provider)) {
        const key = JSON.stringify([order.indexOf(kind), name + prefix]);
        const place = places.get(key) ?? { kind, name, prefix, issuers: new Set() };
        places.set(key, place);
        place.issuers.add(provider.issuer);
      }
    }
    this.places = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
    this.own = providers.flatMap(({ forwardPayloadHeader, claimToHeaders }) => [
      ...(forwardPayloadHeader === "" ? [] : [forwardPayloadHeader.toLowerCase()]),
      ...claimToHeaders.map(({ headerName }) => headerName.toLowerCase()),
    ]);
  }

  /** Takes out what a client may not claim by itself. */
  sanitize({ headers }: RequestContext): void {
    for (const name of this.own) removeHeader(headers, name);
  }

  /** In Envoy's order, of which it goes the last first. */
  find(request: RequestContext): Found[] {
    return this.places.flatMap((place) => textsAt(place, request).map((text) => new FoundAt(text, place, request)));
  }
}

const order: readonly Place["kind"][] = ["header", "parameter", "cookie"];

function placesOf({ fromHeaders, fromParams, fromCookies }: JwtProvider): [Place["kind"], string, string][] {
  if (fromHeaders.length + fromParams.length + fromCookies.length === 0) {
    return [
      ["header", "authorization", "Bearer "],
      ["parameter", "access_token", ""],
    ];
  }
  return [
    ...fromHeaders.map(
      ({ name, valuePrefix }) => ["header", name.toLowerCase(), valuePrefix] as [Place["kind"], string, string],
    ),
    ...fromParams.map((name) => ["parameter", name, ""] as [Place["kind"], string, string]),
    ...fromCookies.map((name) => ["cookie", name, ""] as [Place["kind"], string, string]),
  ];
}

function textsAt({ kind, name, prefix }: Place, { headers, path }: RequestContext): string[] {
  if (kind === "header") {
    return valuesOf(headers, name)
      .map((value) => afterPrefix(value, prefix))
      .filter((text) => text !== undefined);
  }
  const text = kind === "cookie" ? cookieValue(headers, name) || undefined : queryValue(path, name);
  return text === undefined ? [] : [text];
}

/** Of `authorization` there is one by right; where there are more, Envoy takes them together, which makes no token. */
function valuesOf(headers: readonly string[], name: string): string[] {
  if (name !== "authorization") return headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === name);
  const joined = getJoined(headers, name);
  return joined === undefined ? [] : [joined];
}

/** What follows the prefix, wherever that stands, from the first character that may be a token's. */
function afterPrefix(value: string, prefix: string): string | undefined {
  if (prefix === "") return value;
  const at = value.indexOf(prefix);
  if (at === -1) return undefined;
  const rest = value.slice(at + prefix.length);
  const begin = rest.search(/[\w.-]/);
  return begin === -1 ? value : rest.slice(begin);
}

class FoundAt implements Found {
  readonly text: string;
  private readonly place: Place;
  private readonly request: RequestContext;

  constructor(text: string, place: Place, request: RequestContext) {
    this.text = text;
    this.place = place;
    this.request = request;
  }

  allows(issuer: string): boolean {
    const { issuers } = this.place;
    return issuers.has("") || issuers.has(issuer);
  }

  remove(): void {
    const { kind, name } = this.place;
    const { request } = this;
    // A cookie stays, as in Envoy.
    if (kind === "header") removeHeader(request.headers, name);
    else if (kind === "parameter") request.path = withoutQueryValue(request.path, name);
  }
}

/** The URI that was asked for, for the challenge. */
export function originalUri({ scheme, authority, headers, path }: RequestContext): string {
  const original = getHeader(headers, "x-envoy-original-path") ?? path;
  return `${scheme}://${authority}${original.slice(0, maxUriLength)}`;
}

const maxUriLength = 256;
