import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Access } from "../../access/access.ts";
import { type Caller, machineCaller, refusalOf } from "../../access/caller.ts";
import { DashboardError, Grant, type Need, ways, wholeMesh } from "../../contract/index.ts";
import { StatusError, saidError } from "../api/status-error.ts";

/** How a call came: over which listener, and from where. */
export interface Connection {
  /** Over the listener that everybody can reach: nobody is believed there without a token or a certificate. */
  guarded: boolean;
  address: string;
  /** What the client's certificate says, when the mesh's own authority has signed it. */
  certified?: string | undefined;
}

/** Who calls the config API. */
export interface ApiCallers {
  /** Undefined: a program on this machine that said nothing of itself. Rejects with 401. */
  identify(
    headers: IncomingHttpHeaders,
    connection: Connection,
  ): Promise<{ caller: Caller | undefined; address: string }>;
}

/** Without users: everything on loopback, nothing elsewhere. */
export const nobodyKnown: ApiCallers = {
  identify: async (_headers, { guarded, address }) => {
    if (guarded) throw unauthorized("this control plane knows no users");
    return { caller: undefined, address };
  },
};

export const apiCallers = (access: Pick<Access, "bearer">): ApiCallers => ({
  async identify(headers, { guarded, address, certified }) {
    const { authorization } = headers;
    if (authorization === undefined) {
      if (!guarded) return { caller: undefined, address };
      // A workload of the mesh may look, as every Pod's account may discover a cluster's API.
      if (certified !== undefined) return { caller: workloadCaller(certified), address };
      throw unauthorized("a token is needed here: kubectl --token, or LIMPID_TOKEN");
    }
    const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? [];
    if (token === undefined) throw unauthorized("Authorization must be a bearer token");
    const caller = await access.bearer(token, address).catch((error: unknown) => {
      if (!(error instanceof DashboardError)) throw error;
      throw error.code === "LIMITED"
        ? new StatusError(429, "TooManyRequests", error.message)
        : unauthorized(error.message);
    });
    return caller.way === "machine" ? onBehalf(headers, caller, address) : { caller, address };
  },
});

/** The dashboard has found out for whom a write is, and says so with the machine's own token; nobody else is believed. */
function onBehalf(headers: IncomingHttpHeaders, machine: Caller, address: string) {
  const { "x-limpid-grants": grants, "x-limpid-user": user, "x-limpid-way": way, "x-limpid-address": from } = headers;
  if (typeof grants !== "string" || typeof user !== "string")
    return { caller: { ...machine, ...named(user) }, address };
  const known = ways.find((one) => one === way) ?? "token";
  const caller: Caller = { ...machineCaller(decoded(user)), grants: parseGrants(grants), way: known };
  return { caller, address: typeof from === "string" ? from : address };
}

const named = (user: string | string[] | undefined): { name: string } | undefined =>
  typeof user === "string" && user !== "" ? { name: decoded(user) } : undefined;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `operator@shop,viewer@*`; what is none is left out, which allows less. */
const parseGrants = (text: string): Grant[] =>
  text.split(",").flatMap((one) => {
    const [role, namespace] = one.split("@");
    const grant = Grant.safeParse({ role, namespace });
    return grant.success ? [grant.data] : [];
  });

const workloadCaller = (spiffeUri: string): Caller => ({
  name: spiffeUri,
  displayName: "",
  way: "token",
  grants: [{ role: "viewer", namespace: wholeMesh }],
  hasPassword: false,
});

const unauthorized = (why: string): StatusError =>
  new StatusError(401, "Unauthorized", why, undefined, { "www-authenticate": 'Bearer realm="limpid"' });

/** Identities, tokens to join and the like are the administrators'; anything else that writes needs an operator, of which namespace the store knows. */
const administration = /^\/limpid\/v1\/(?:join-tokens|certificates|ca)(?:\/|$)/;
/** Whoever asks what they may do, or which version runs, need be nobody. */
const open = /^\/(?:livez|readyz|healthz|version)(?:\/|$)/;
/** Reviews are asked by POST, and write nothing. */
const review = /^\/apis\/(?:authorization|authentication)\.k8s\.io\//;

/** @param pattern of the route: a path may be written in many ways (`//`, `%6a`) that lead to it */
export function requireRole(caller: Caller | undefined, method: string, pattern: string): void {
  if (caller === undefined || open.test(pattern)) return;
  const refusal = refusalOf(caller.grants, needOfRoute(method, pattern));
  if (refusal) throw saidError(403, "Forbidden", refusal);
}

function needOfRoute(method: string, pattern: string): Need {
  if (administration.test(pattern) && (method !== "GET" || pattern.includes("join-tokens")))
    return { role: "administrator", namespace: wholeMesh };
  if (method === "GET" || review.test(pattern)) return { role: "viewer" };
  if (/^\/limpid\/v1\/proxies\//.test(pattern)) return { role: "operator", namespace: wholeMesh };
  return { role: "operator" };
}

/** As it came. A certificate counts only where the mesh's own authority has signed it. */
export function connectionOf({ socket }: IncomingMessage, guarded: boolean): Connection {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  const tls = guarded ? (socket as TLSSocket) : undefined;
  const names = tls?.authorized ? (tls.getPeerCertificate().subjectaltname ?? "") : "";
  const certified = /(?:^|, )URI:(spiffe:\/\/[^,]+)/.exec(names)?.[1];
  return { guarded, address, ...(certified !== undefined && { certified }) };
}
