import type { Caller } from "../access/caller.ts";
import { refusalOf } from "../access/caller.ts";
import { failure } from "../access/failure.ts";
import type { WriteOptions } from "../config/api-client.ts";
import { type AuditAction, type Need, told } from "../contract/index.ts";
import { createRouter, type Match } from "../lib/http-router.ts";

import type { CookiePlace } from "./cookie.ts";

/** One call of the API, as its handlers see it. */
export interface ApiCall {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  /** The JSON body of a write. */
  body: unknown;
  /** Undefined only at routes that are for everybody. */
  caller: Caller | undefined;
  /** Where it came from: of the connection, since anybody can write `X-Forwarded-For`. */
  address: string;
  cookies: Readonly<Record<string, string>>;
  /** Of the listener that it came by. */
  place: CookiePlace;
  /** What a handler says for the audit, where its route's parameters don't. */
  about: { target?: string };
}

/** Resolves with what becomes the JSON of the answer, an `EventStream`, a `Download` or a `Reply`; rejects with a `DashboardError`. */
export type ApiHandler = (call: ApiCall) => Promise<unknown>;

/** An answer that a browser keeps as a file: JSON, or with a `type` of its own a text or bytes. */
export class Download {
  readonly value: unknown;
  readonly fileName: string;
  readonly type: string | undefined;
  constructor(value: unknown, fileName: string, type?: string) {
    this.value = value;
    this.fileName = fileName;
    this.type = type;
  }
}

/** An answer with something in its head: a cookie, or an address to go on to. */
export class Reply {
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly status: number;
  constructor(value: unknown, headers: Readonly<Record<string, string | string[]>>, status = 200) {
    this.value = value;
    this.headers = headers;
    this.status = status;
  }
}

/** `everybody`: also who has not signed in. */
export type RouteNeed = "everybody" | Need | ((call: ApiCall) => Need);

export interface RouteOptions {
  /** Left out: a viewer for what only reads, an operator for what writes. Whoever may come in may look at the whole mesh: calls end at no namespace. */
  need?: RouteNeed;
  /** What the audit calls it; writes to the mesh are written down where they are made, by the control plane. */
  deed?: AuditAction;
}

export interface ApiRoute {
  method: string;
  pattern: string;
  need: RouteNeed;
  handler: ApiHandler;
  deed?: AuditAction;
}

export interface ApiRoutes {
  add(method: string, pattern: string, handler: ApiHandler, options?: RouteOptions): void;
  match(method: string, path: string): Match<ApiRoute>;
  /** All of them, in the order in which they were added. */
  readonly list: readonly ApiRoute[];
}

const look: Need = { role: "viewer" };
/** In some namespace: which ones a write reaches is known where it is made. */
const operate: Need = { role: "operator" };

export function createApiRoutes(): ApiRoutes {
  const router = createRouter<ApiRoute>();
  const list: ApiRoute[] = [];
  return {
    list,
    add(method, pattern, handler, { need = method === "GET" ? look : operate, deed } = {}) {
      const route: ApiRoute = { method, pattern, need, handler, ...(deed !== undefined && { deed }) };
      list.push(route);
      router.add(method, pattern, route);
    },
    match: (method, path) => router.match(method, path),
  };
}

/** Rejects a caller who may not do this: UNAUTHENTICATED, or FORBIDDEN with what it would take. */
export function requireNeed(need: RouteNeed, call: ApiCall): void {
  if (need === "everybody") return;
  const { grants } = callerIn(call);
  const refusal = refusalOf(grants, typeof need === "function" ? need(call) : need);
  if (refusal) throw failure("FORBIDDEN", refusal);
}

/** Rejects with UNAUTHENTICATED. */
export function callerIn({ caller }: ApiCall): Caller {
  if (caller === undefined) throw failure("UNAUTHENTICATED", told("sign-in-needed", {}));
  return caller;
}

/** Author of a write, and what the control plane holds them to. */
export function authorOf(call: ApiCall): WriteOptions {
  const { name, grants, way } = callerIn(call);
  return { user: name, onBehalf: { grants, way, address: call.address } };
}
