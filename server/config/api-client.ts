import type { z } from "zod";
import type { Grant } from "../contract/access.ts";
import { BadgesThen } from "../contract/badges.ts";
import { type CanaryAction, CanaryList, type CanaryRequest } from "../contract/canaries.ts";
import { ChangeList, type ChangeQuery, MeshExport } from "../contract/changes.ts";
import { ApiError, DashboardError } from "../contract/errors.ts";
import { FaultList, type FaultRequest } from "../contract/faults.ts";
import { GatewayList } from "../contract/gateways.ts";
import { told } from "../contract/index.ts";
import { LoadList, RateLimitUses } from "../contract/load.ts";
import type { RestoreRequest } from "../contract/meshes.ts";
import { type KnownProxy, KnownProxyList, PushHistory, PushLatency, PushStatus } from "../contract/proxies.ts";
import { type RevocationRequest, RevokedIdentities, SignedCertificates } from "../contract/security.ts";
import { MeshService } from "../contract/services.ts";
import { ChangeResult, Routing, type WeightsChange } from "../contract/traffic.ts";
import { WorkloadViews } from "../contract/workloads.ts";
import { createHttpClient, type HttpClient, TimeoutError } from "../lib/http-client.ts";
import type { KindDefinition } from "./kind.ts";
import type { ConfigObject } from "./object.ts";
import type { Write } from "./store.ts";

export interface WriteOptions {
  /** Check and show what would change, change nothing. */
  dryRun?: boolean;
  /** With a dry run: also what the proxies would get. */
  envoy?: boolean;
  /** Author in the history. */
  user: string;
  /** Whom the write is for, and what they may do: the control plane holds it to that, and writes it down as theirs. Left out: the caller's own. */
  onBehalf?: OnBehalf;
}

export interface OnBehalf {
  grants: readonly Grant[];
  /** How they came in, and from where. */
  way: string;
  address: string;
}

/** `name`: the service's hostname, or the resource's. */
export interface ServiceName {
  namespace: string;
  name: string;
}

/**
 * Calls the control plane's config API (port 15014). Every method rejects with `DashboardError`: what the API answered, or
 * CONTROL_PLANE_UNREACHABLE when it gave no answer within `timeoutMs`.
 */
export interface ConfigApiClient {
  services(): Promise<MeshService[]>;
  routing(service: ServiceName): Promise<Routing>;
  setWeights(service: ServiceName, change: WeightsChange, options: WriteOptions): Promise<ChangeResult>;
  faults(): Promise<FaultList>;
  injectFault(fault: FaultRequest, options: WriteOptions): Promise<ChangeResult>;
  /** `id` as in contract `Fault.id`. */
  stopFault(id: string, options: WriteOptions): Promise<ChangeResult>;
  /** Where config acted on each service at a moment, Unix milliseconds; undefined where the history doesn't reach back so far. */
  badgesThen(at: number): Promise<BadgesThen | undefined>;
  gateways(): Promise<GatewayList>;
  workloads(): Promise<WorkloadViews>;
  /** What the certificate authority signed. Rejects with NOT_FOUND where there is none. */
  certificates(): Promise<SignedCertificates>;
  /** Lets an identity have nothing any more. */
  revokeIdentity(what: RevocationRequest, options: WriteOptions): Promise<RevokedIdentities>;
  /** Rejects with NOT_FOUND for one that was not revoked. */
  restoreIdentity(what: RevocationRequest, options: WriteOptions): Promise<RevokedIdentities>;
  canaries(): Promise<CanaryList>;
  startCanary(canary: CanaryRequest, options: WriteOptions): Promise<ChangeResult>;
  actOnCanary(
    canary: { namespace: string; name: string },
    action: CanaryAction,
    options: WriteOptions,
  ): Promise<ChangeResult>;
  /** Null when that revision was never pushed, or is forgotten. */
  push(revision: number | "latest"): Promise<PushStatus | null>;
  /** Those that the control plane remembers, the newest first. */
  pushHistory(): Promise<PushHistory>;
  /** What proxies report of their load. */
  loads(): Promise<LoadList>;
  /** How limits of the rate limit service stand. */
  rateLimits(): Promise<RateLimitUses>;
  /** How long the pushes of the last day took. */
  pushLatency(): Promise<PushLatency>;
  /** Who is connected, and who was and is expected back. */
  knownProxies(): Promise<KnownProxy[]>;
  /** Rejects with CONFLICT for one that is connected, with NOT_FOUND for one that nobody knows. */
  forgetProxy(id: string, options?: WriteOptions): Promise<KnownProxyList>;
  changes(query: ChangeQuery): Promise<ChangeList>;
  /** The whole configuration as people write it, in force or as it was. */
  mesh(moment?: { revision: number } | { at: number }): Promise<MeshExport>;
  /** The mesh, or what is selected of it, as it was. */
  restore(what: RestoreRequest, options: WriteOptions): Promise<ChangeResult>;
  /** `over`: the newest later change of the same objects that was seen, see contract `UndoneChange`. */
  undo(revision: number, options: WriteOptions & { over?: number | undefined }): Promise<ChangeResult>;
  transact(writes: readonly Write[], reason: string | undefined, options: WriteOptions): Promise<ChangeResult>;
  /** The OpenAPI schemas of a kind's group, by name. */
  openApi(kind: KindPath): Promise<{ schemas: Record<string, unknown> }>;
  /** All objects of a kind, in the version that it is stored as. */
  objects(kind: KindPath): Promise<ConfigObject[]>;
}

/** Where the API keeps a kind's objects. */
export type KindPath = Pick<KindDefinition, "group" | "version" | "plural">;

/** `token`: by which the control plane knows who asks. */
export function createConfigApiClient(
  baseUrl: string,
  timeoutMs = 5000,
  token: () => string | undefined = () => undefined,
): ConfigApiClient {
  const client = createHttpClient(baseUrl, timeoutMs);
  const call = async <T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    options?: { body?: unknown } & Partial<WriteOptions>,
  ) => schema.parse(await send(client, baseUrl, method, path, { ...options, token: token() }));
  const dry = (options: WriteOptions) => (options.dryRun ? `?dryRun=true${options.envoy ? "&envoy=true" : ""}` : "");
  const undoQuery = (options: WriteOptions & { over?: number | undefined }) => {
    const query = dry(options);
    return options.over === undefined ? query : `${query || "?"}${query ? "&" : ""}over=${options.over}`;
  };
  const pathOf = ({ namespace, name }: ServiceName) => `/limpid/v1/services/${segment(namespace)}/${segment(name)}`;

  const by = (options: WriteOptions | undefined) =>
    options && { user: options.user, ...(options.onBehalf && { onBehalf: options.onBehalf }) };

  return {
    services: () => call(MeshService.array(), "GET", "/limpid/v1/services"),
    routing: (service) => call(Routing, "GET", `${pathOf(service)}/routing`),
    setWeights: (service, change, options) =>
      call(ChangeResult, "PUT", `${pathOf(service)}/routing/weights${dry(options)}`, {
        body: change,
        ...by(options),
      }),
    faults: () => call(FaultList, "GET", "/limpid/v1/faults"),
    injectFault: (fault, options) =>
      call(ChangeResult, "POST", `/limpid/v1/faults${dry(options)}`, { body: fault, ...by(options) }),
    stopFault: (id, options) =>
      call(ChangeResult, "DELETE", `/limpid/v1/faults/${id.split("/").map(segment).join("/")}${dry(options)}`, {
        ...by(options),
      }),
    badgesThen: (at) =>
      call(BadgesThen, "GET", `/limpid/v1/badges?at=${at}`).catch((error: unknown) => {
        if (error instanceof DashboardError && error.code !== "CONTROL_PLANE_UNREACHABLE") return undefined;
        throw error;
      }),
    gateways: () => call(GatewayList, "GET", "/limpid/v1/gateways"),
    workloads: () => call(WorkloadViews, "GET", "/limpid/v1/workloads"),
    certificates: () => call(SignedCertificates, "GET", "/limpid/v1/certificates"),
    revokeIdentity: (body, options) =>
      call(RevokedIdentities, "POST", "/limpid/v1/certificates/revoke", { body, ...by(options) }),
    restoreIdentity: (body, options) =>
      call(RevokedIdentities, "POST", "/limpid/v1/certificates/restore", { body, ...by(options) }),
    canaries: () => call(CanaryList, "GET", "/limpid/v1/canaries"),
    startCanary: (canary, options) =>
      call(ChangeResult, "POST", `/limpid/v1/canaries${dry(options)}`, { body: canary, ...by(options) }),
    actOnCanary: ({ namespace, name }, action, options) =>
      call(
        ChangeResult,
        "POST",
        `/limpid/v1/canaries/${segment(namespace)}/${segment(name)}/${action}${dry(options)}`,
        {
          body: {},
          ...by(options),
        },
      ),
    push: (revision) =>
      call(PushStatus, "GET", `/limpid/v1/pushes/${revision}`).catch((error: unknown) => {
        if (error instanceof DashboardError && error.code === "NOT_FOUND") return null;
        throw error;
      }),
    pushHistory: () => call(PushHistory, "GET", "/limpid/v1/pushes"),
    loads: () => call(LoadList, "GET", "/limpid/v1/loads"),
    rateLimits: () => call(RateLimitUses, "GET", "/limpid/v1/rate-limits"),
    pushLatency: () => call(PushLatency, "GET", "/limpid/v1/push-latency"),
    knownProxies: async () => (await call(KnownProxyList, "GET", "/limpid/v1/proxies")).proxies,
    forgetProxy: (id, options) => call(KnownProxyList, "DELETE", `/limpid/v1/proxies/${segment(id)}`, by(options)),
    changes: ({ sinceMs: since, untilMs: until, ...query }) =>
      call(ChangeList, "GET", `/limpid/v1/changes?${given({ since, until, ...query })}`),
    mesh: (moment) => call(MeshExport, "GET", `/limpid/v1/mesh?${given({ ...moment })}`),
    restore: (what, { dryRun = false, envoy = false, ...author }) =>
      call(ChangeResult, "POST", `/limpid/v1/mesh/restore?${given({ ...what, dryRun, ...(envoy && { envoy }) })}`, {
        body: {},
        ...by(author),
      }),
    undo: (revision, options) =>
      call(ChangeResult, "POST", `/limpid/v1/changes/${revision}/undo${undoQuery(options)}`, {
        body: {},
        ...by(options),
      }),
    transact: (writes, reason, options) =>
      call(ChangeResult, "POST", `/limpid/v1/transactions${dry(options)}`, {
        body: { writes, reason, dryRun: options.dryRun ?? false },
        ...by(options),
      }),
    async openApi({ group, version }) {
      const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
      const { components } = (await send(client, baseUrl, "GET", `/openapi/v3/${path}`, { token: token() })) as {
        components: { schemas: Record<string, unknown> };
      };
      return { schemas: components.schemas };
    },
    async objects({ group, version, plural }) {
      const path = group === "" ? `/api/${version}/${plural}` : `/apis/${group}/${version}/${plural}`;
      const { items } = (await send(client, baseUrl, "GET", path, { token: token() })) as { items: ConfigObject[] };
      return items;
    },
  };
}

const segment = encodeURIComponent;

/** A query of what is given. */
const given = (values: Readonly<Record<string, string | number | boolean | undefined>>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );

async function send(
  client: HttpClient,
  baseUrl: string,
  method: string,
  path: string,
  { body: sent, user, onBehalf, token }: { body?: unknown; token?: string | undefined } & Partial<WriteOptions> = {},
): Promise<unknown> {
  const headers = {
    accept: "application/json",
    ...(sent !== undefined && { "content-type": "application/json" }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(user !== undefined && { "x-limpid-user": encodeURIComponent(user) }),
    ...(onBehalf && {
      "x-limpid-grants": onBehalf.grants.map(({ role, namespace }) => `${role}@${namespace}`).join(","),
      "x-limpid-way": onBehalf.way,
      "x-limpid-address": onBehalf.address,
    }),
  };
  const json = sent === undefined ? {} : { body: JSON.stringify(sent) };
  const { status, text } = await client.call(method, path, { headers, ...json }).catch((error: Error) => {
    const why = error instanceof TimeoutError ? error.message : "connection refused";
    throw new DashboardError({
      code: "CONTROL_PLANE_UNREACHABLE",
      ...told("control-plane-silent", { url: baseUrl, why }),
    });
  });
  const body = parseJson(text);
  if (status < 400) return body;
  const known = ApiError.safeParse(body);
  throw new DashboardError(
    known.success
      ? known.data
      : { code: "INTERNAL", ...told("control-plane-failed", { status, call: `${method} ${path}` }) },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
