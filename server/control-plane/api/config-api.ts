import type { Deed } from "../../access/audit.ts";
import type { KindDefinition } from "../../config/kind.ts";
import type { ConfigStore } from "../../config/store.ts";
import type { CanaryView, MeshService } from "../../contract/index.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { buildMesh, type Mesh } from "../../model/mesh.ts";
import { type ApiCallers, nobodyKnown } from "../access/api-callers.ts";
import { guardedStore } from "../access/guarded-store.ts";
import { type RegisteredEntries, registeredStore } from "../registration/registered-store.ts";
import type { ApiContext, GatewayProxy, KnownProxiesReader, PushReader, UseReader } from "./context.ts";
import { createHttpServer, defaultHttpLimits, type HttpLimits, type HttpServer } from "./http-server.ts";
import { indexKinds } from "./kind-index.ts";
import { emptyKinds } from "./kubernetes/empty-kinds.ts";
import { addKubernetesRoutes } from "./kubernetes/routes.ts";
import { defaultWatchLimits, type WatchLimits } from "./kubernetes/watch.ts";
import { toApiError } from "./limpid/api-error.ts";
import type { IdentityAdmin } from "./limpid/identities.ts";
import { addLimpidRoutes } from "./limpid/routes.ts";
import { ensureNamespaces } from "./namespace-contents.ts";
import { type ApiRouter, createApiRouter } from "./router.ts";
import { toStatus } from "./status-error.ts";

export interface ConfigApiOptions {
  store: ConfigStore;
  kinds: readonly KindDefinition[];
  clock: Clock;
  logger: Logger;
  /** The registry's services. */
  services(): Promise<MeshService[]>;
  /** The mesh with every commit in it; made of what is stored when unset. */
  mesh?(): Mesh;
  /** Gateway proxies that are connected; not known when unset. */
  gatewayProxies?(): readonly GatewayProxy[];
  /** Workloads that registered themselves: clients of Kubernetes see their entries. */
  registrations?: RegisteredEntries;
  pushes: PushReader;
  /** Who is expected to be connected; unset: nobody is known. */
  proxies?: KnownProxiesReader;
  /** What was measured last of a canary that runs, `<namespace>/<name>`; unset: nobody measures. */
  liveCanary?(key: string): CanaryView["live"];
  /** Who may join, what was signed and revoked; unset: there is no certificate authority. */
  identities?: IdentityAdmin | undefined;
  /** Load reports and the use of rate limits. */
  use?: UseReader;
  /** Who calls; unset: programs of this machine, which may do everything. */
  callers?: ApiCallers;
  /** Writes down what calls did; unset: nowhere. */
  note?(deed: Deed): Promise<void>;
  /** Host names served beside loopback ones. */
  allowedHosts?: readonly string[];
  /** Origins of web pages that may call; none by default. */
  allowedOrigins?: readonly string[];
  /** Told of each object that somebody wanted to write. */
  validated?: ApiContext["validated"];
  /** Prometheus text of `/metrics`; empty when unset. */
  metrics?(): string;
  /** What `/readyz` says; true when unset. */
  ready?(): boolean;
  /** What else has to be so for `/readyz`; nothing when unset. */
  checks?(): readonly { name: string; problem?: string | undefined }[];
  limits?: Partial<HttpLimits & WatchLimits>;
}

/** The config API of port 15014: Kubernetes-shaped under `/api` and `/apis`, Limpid's own under `/limpid/v1`. */
export function createConfigApi(options: ConfigApiOptions): HttpServer & { routes: ApiRouter["list"] } {
  const closing = new AbortController();
  const context: ApiContext = {
    store: guardedStore(options.store),
    kinds: indexKinds(options.kinds, emptyKinds),
    clock: options.clock,
    logger: options.logger,
    services: options.services,
    mesh: async () => options.mesh?.() ?? storedMesh(options.store),
    gatewayProxies: () => options.gatewayProxies?.(),
    pushes: options.pushes,
    use: options.use,
    proxies: options.proxies ?? { list: () => [], forget: () => "unknown" },
    liveCanary: (key) => options.liveCanary?.(key) ?? null,
    identities: () => options.identities,
    ...(options.validated && { validated: options.validated }),
    metrics: options.metrics ?? (() => ""),
    ready: options.ready ?? (() => true),
    checks: () => options.checks?.() ?? [],
    closing: closing.signal,
  };
  const router = createApiRouter();
  const { registrations } = options;
  const kubernetes = registrations
    ? { ...context, registered: registrations, store: guardedStore(registeredStore(options.store, registrations)) }
    : context;
  addKubernetesRoutes(router, kubernetes, { ...defaultWatchLimits, ...options.limits });
  addLimpidRoutes(router, context);
  const server = createHttpServer({
    router,
    callers: options.callers ?? nobodyKnown,
    note: options.note ?? (async () => undefined),
    guard: { allowedHosts: options.allowedHosts ?? [], allowedOrigins: options.allowedOrigins ?? [] },
    limits: { ...defaultHttpLimits, ...options.limits },
    logger: options.logger,
    errorBody: (path, error) => (path.startsWith("/limpid/") ? toApiError(error) : toStatus(error)),
  });
  return {
    routes: router.list,
    async listen(host, port) {
      await ensureNamespaces(options.store);
      return server.listen(host, port);
    },
    listenGuarded: server.listenGuarded,
    close() {
      closing.abort();
      return server.close();
    },
  };
}

async function storedMesh(store: ConfigStore): Promise<Mesh> {
  const { items, revision } = await store.list();
  return buildMesh(items, revision);
}
