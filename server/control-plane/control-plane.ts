import { randomUUID } from "node:crypto";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import type { Sealer } from "../ca/sealer.ts";
import type { ConfigSource } from "../config/store.ts";
import type { MeshService, PushStatus } from "../contract/index.ts";
import { HealthDiscoveryService } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { RateLimitService } from "../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { IstioCertificateService } from "../gen/proto/istio/security/v1alpha1/ca_pb.js";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { memo } from "../lib/memo.ts";
import type { Mesh, MeshOptions } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { ownIdentity } from "../model/trust-domains.ts";
import type { CounterStore } from "../ratelimit/counters.ts";
import { RateLimiter, type Usage } from "../ratelimit/rate-limiter.ts";
import { addRateLimitService } from "../ratelimit/service.ts";
import type { TranslateOptions } from "../translate/options.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { addHealthDiscovery, type HdsOptions } from "../xds/hds.ts";
import { defaultLimits, type XdsLimits } from "../xds/limits.ts";
import type { ClusterLoad } from "../xds/load-reports.ts";
import { declareCounters } from "./counters.ts";
import { createCredentials } from "./credentials.ts";
import { type DebounceOptions, defaultDebounce } from "./debounce.ts";
import { Distributor } from "./distributor.ts";
import type { Rehearse } from "./foretell.ts";
import { certificateServices } from "./identity/certificate-service.ts";
import { createIdentities, type Identities, type IdentityFiles } from "./identity/identities.ts";
import { createJoinServer } from "./identity/join-server.ts";
import { authenticateBy, type TokenReviewer } from "./identity/token-review.ts";
import { type IstiodMetrics, istiodMetrics } from "./istiod-metrics.ts";
import { KnownProxies, type KnownProxiesFile } from "./known-proxies.ts";
import { LoadHistory, type LoadHistoryOptions } from "./load-history.ts";
import { followMesh } from "./mesh-updates.ts";
import { Metrics } from "./metrics.ts";
import { createMeshPipeline } from "./pipeline.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { PushLatencies } from "./push-latencies.ts";
import { PushTracker } from "./push-tracker.ts";
import { createPushes, type Pushes } from "./pushes.ts";
import { RefusalMemory } from "./refusal-memory.ts";
import { registrationCounters } from "./registration/counters.ts";
import { type RegistrationStore, Registrations } from "./registration/registrations.ts";
import { xdsEvents } from "./xds-events.ts";

export interface ControlPlane {
  /** Reads the store, then serves xDS. Rejects when the port is taken or the store cannot be read. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Bound ports; xds is 0 before start, xdsTls undefined before start and without an authority. */
  addresses(): { xds: number; xdsTls?: number; join?: number | undefined };
  /** Undefined without an authority. */
  identities: (Identities & { revoke(spiffeUri: string, reason: string): void }) | undefined;
  /** The mesh was read and xDS is served. */
  ready(): boolean;
  services(): Promise<MeshService[]>;
  /** What connected clients last told of the load that they send (LRS), by node id. */
  loads(): ReadonlyMap<string, readonly ClusterLoad[]>;
  /** How the limits of the rate limit service stand in their windows, the fullest first. */
  rateLimits(): Usage[];
  /** Whether what is stored is what proxies get. */
  checks(): { name: string; problem?: string | undefined }[];
  /** The mesh with every commit in it, also those that are not pushed yet. */
  mesh(): Mesh;
  /** Those that are connected. */
  gatewayProxies(): MeshProxy[];
  pushes: Pushes;
  /** Who is connected, and who was and is expected back. */
  proxies: Pick<KnownProxies, "list" | "forget">;
  /** Workloads that registered themselves for a WorkloadGroup. */
  registrations: Pick<Registrations, "entries" | "get" | "remove" | "log">;
  metrics: Metrics;
  /** Counts an object that somebody wanted to write. */
  validated: IstiodMetrics["validated"];
}

export interface ControlPlaneOptions {
  store: ConfigSource;
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 takes a free port. */
  xdsPort: number;
  /** Where proxies get their certificates: over mutual TLS only. 0 takes a free port. Needs `authority`. */
  xdsTls?: { port: number; hosts?: readonly string[] };
  authority?: CertificateAuthority;
  /** Names and addresses by which proxies call it, for its own certificate. */
  hosts?: readonly string[];
  /** After another root signs, every workload has a certificate by it within so long; default a minute. */
  reissueWithinMs?: number;
  /** Knows service-account tokens of Kubernetes, by which proxies may come and get certificates; unset: by a certificate only. */
  tokenReviewer?: TokenReviewer | undefined;
  /** Opens the Secrets of the store; unset: sealed ones are not there for anybody. */
  sealer?: Sealer;
  /** A port for those who come with a join token, having no certificate yet. 0 takes a free one. Needs `authority`. */
  join?: { port: number; hosts?: readonly string[] };
  /** Where join tokens, and what was signed and revoked, are kept over a restart; unset: nowhere. */
  identityFiles?: IdentityFiles;
  /** Roots in PEM, beside the authority's, of certificates that proxies may come with; nobody else in the mesh trusts them. */
  bootstrapRoots?: string;
  logger: Logger;
  clock: Clock;
  /** Of the program, for `istio_build`. */
  version?: string;
  translateOptions?: Partial<TranslateOptions>;
  meshOptions?: Partial<MeshOptions>;
  debounce?: Partial<DebounceOptions>;
  limits?: Partial<XdsLimits>;
  /** Where the rate limit service counts; default: in memory, each replica for itself. */
  rateLimitCounters?: CounterStore;
  /** Where the proxies that were connected are remembered over a restart; unset: nowhere. */
  knownProxies?: KnownProxiesFile;
  /** Where workloads that registered themselves are remembered over a restart; unset: nowhere. */
  registrations?: RegistrationStore;
  /** How long such a workload is kept when its proxy is gone; default 10 s. */
  registrationGraceMs?: number | undefined;
  /** Keeps what clients report of the load that they send (LRS); unset: only the last report of each is known. */
  keepLoads?: Pick<LoadHistoryOptions, "send" | "everyMs">;
  /** Asks proxies of a kind what they would refuse; unset: only what was refused before is foretold. */
  rehearse?: Rehearse;
}

/** Config store → mesh → each proxy's resources → xDS, and back: who has what. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { clock, logger, store } = options;
  const pipeline = createMeshPipeline({
    mesh: options.meshOptions,
    translate: options.translateOptions,
    sealer: options.sealer,
    onLost: ({ metadata: { namespace, name } }, entries) =>
      logger.error({ secret: `${namespace}/${name}`, entries }, "sealed by a key that is not here: write it anew"),
  });
  const metrics = new Metrics();
  const count = declareCounters(metrics);
  addProcessMetrics(metrics);
  const istiod = istiodMetrics(metrics, { version: options.version ?? "unknown", connected: () => distributor.size });
  const latencies = new PushLatencies({ clock });
  const memory = new RefusalMemory();
  const tracker = new PushTracker({
    clock,
    onComplete: (status) => {
      logPush(logger, status);
      if (status.ms !== null) istiod.converged(status.ms);
      // A commit that concerned nobody took no time to arrive.
      if (status.ms !== null && status.proxies.length > 0) latencies.add(status.ms);
    },
  });
  const { authority, xdsTls } = options;
  if (xdsTls && !authority) throw new Error("xdsTls: needs an authority");
  const identities = authority && createIdentities(authority, clock, options.identityFiles);
  const credentials =
    identities &&
    createCredentials({
      authority: identities.authority,
      bootstrapRoots: options.bootstrapRoots,
      hosts: options.hosts ?? [],
      trustDomains: pipeline.trustDomains,
      reissueWithinMs: options.reissueWithinMs,
      clock,
      logger,
      metrics,
    });
  const signing = identities && certificateServices({ ...identities, trustDomains: pipeline.trustDomains, logger });
  const distributor = new Distributor({
    pipeline,
    credentials,
    isRevoked: (identity) => identities?.register.isRevoked(identity) ?? false,
    clock,
    logger,
    onFailure: () => {
      count.translateFailures();
      istiod.failed();
    },
    onTranslated(ms) {
      count.translateMs(ms);
      istiod.translated(ms);
    },
  });

  const known = new KnownProxies({
    clock,
    logger,
    file: options.knownProxies,
    workloads: () => workloadsOf(pipeline.mesh([]).endpoints),
  });
  const limiter = new RateLimiter(options.rateLimitCounters);
  let registryChanged = () => {};
  const registrations = new Registrations({
    clock,
    logger,
    store: options.registrations,
    controller: `limpid-${randomUUID().slice(0, 8)}`,
    mesh: () => pipeline.mesh(updates.pending.peek()),
    onChange: () => registryChanged(),
    count: registrationCounters(metrics),
    ...(options.registrationGraceMs !== undefined && { graceMs: options.registrationGraceMs }),
  });
  const updates = followMesh({
    registered(changed) {
      registryChanged = changed;
      return registrations;
    },
    store,
    pipeline,
    distributor,
    tracker,
    limiter,
    count,
    istiod,
    debounce: { ...defaultDebounce, ...options.debounce },
    clock,
    logger,
  });
  const { facts, pending } = updates;
  const { keepLoads } = options;
  const history = keepLoads && new LoadHistory({ ...keepLoads, clock, onLost: count.lostLoads });
  let ready = false;
  let port = 0;

  const probing: HdsOptions = {
    maxStreams: options.limits?.sessions ?? defaultLimits.sessions,
    joined: (prober) => {
      logger.info({ proxy: prober.node.id, protocols: [...prober.protocols] }, "a proxy offers to probe endpoints");
      facts.join(prober);
    },
    reported: (prober, endpoints) => facts.report(prober, endpoints),
    left: (prober) => facts.leave(prober),
  };
  const server = createXdsServer({
    host: options.host,
    port: options.xdsPort,
    tls: xdsTls &&
      credentials && {
        port: xdsTls.port,
        hosts: xdsTls.hosts,
        credentials: (onRenewal) => credentials.own({ keeps: true, onRenewal }),
        authenticate: options.tokenReviewer && authenticateBy(options.tokenReviewer, credentials.trustDomain),
      },
    clock,
    logger,
    limits: options.limits,
    ...(history && { onLoad: (node, counts) => history.record(node, counts) }),
    services: [
      { service: RateLimitService, add: (grpc) => addRateLimitService(grpc, { limiter, clock }) },
      ...(signing ? [{ service: IstioCertificateService, add: signing.byCertificate }] : []),
      { service: HealthDiscoveryService, add: (grpc) => addHealthDiscovery(grpc, probing) },
    ],
    events: xdsEvents({ distributor, known, registrations, tracker, memory, count, istiod, logger }),
  });
  const joins =
    options.join && identities && credentials && signing
      ? createJoinServer(
          { hosts: options.join.hosts ?? [options.host ?? "127.0.0.1"], port: options.join.port },
          {
            credentials: (onRenewal) => credentials.own({ keeps: false, onRenewal }),
            roots: () => identities.rootPem,
            clock,
            add: signing.byToken,
          },
        )
      : undefined;
  let joinPort: number | undefined;
  metrics.gauge("limpid_xds_connected_proxies", "Open xDS streams.", () => distributor.size);
  metrics.gauge("limpid_hds_probers", "Proxies that probe endpoints.", () => facts.proberCount);
  metrics.gauge(
    "limpid_registry_sequence",
    "Changes of the registry that no commit made: health, and workloads that register themselves.",
    () => facts.sequence + registrations.sequence,
  );
  metrics.gauge("limpid_registered_workloads", "Workloads that registered themselves.", () => registrations.size);
  metrics.gauge("limpid_config_revision", "Config revision of the mesh that is served.", () => pipeline.revision);

  return {
    async start() {
      await registrations.start();
      await updates.start();
      known.start();
      port = await server.start();
      joinPort = await joins?.start();
      history?.start();
      ready = true;
      updates.serve();
      logger.info({ port, tlsPort: server.tlsPort(), revision: pipeline.revision }, "xds is served");
    },
    async stop() {
      ready = false;
      await updates.stop();
      history?.stop();
      // Before the streams are ended by ourselves: those proxies were there to the last.
      known.stop();
      await registrations.stop();
      await joins?.stop();
      await server.stop();
      credentials?.stop();
      identities?.register.stop();
    },
    addresses: () => ({ xds: port, xdsTls: server.tlsPort(), join: joinPort }),
    identities: identities && {
      ...identities,
      get rootPem() {
        return identities.rootPem;
      },
      revoke(spiffeUri, reason) {
        identities.register.revoke(spiffeUri, reason);
        const trustDomains = pipeline.trustDomains();
        for (const session of server.sessions()) {
          if (ownIdentity(session.identity ?? "", trustDomains) === spiffeUri) session.end(`${spiffeUri} was revoked`);
        }
      },
    },
    ready: () => ready,
    loads: () => server.loads(),
    rateLimits: () => limiter.usage(clock.now()),
    services: async () => pipeline.services(),
    checks: () => updates.checks(),
    mesh: () => pipeline.mesh(pending.peek()),
    gatewayProxies: () => distributor.proxies().filter((proxy) => proxy.type === "router"),
    pushes: createPushes({
      tracker,
      latencies,
      known,
      distributor,
      pipeline,
      pending,
      memory,
      rehearse: options.rehearse,
    }),
    proxies: known,
    registrations,
    metrics,
    validated: istiod.validated,
  };
}

/** `<namespace>/<name>`, as services have them for endpoints; reckoned once as long as no endpoint changes. */
const workloadsOf = (endpoints: Mesh["endpoints"]): ReadonlySet<string> =>
  memo(endpoints, "workloads", [], () => {
    const all = [...endpoints.values()].flatMap(({ byPort }) => [...byPort.values()].flat());
    return new Set(all.map(({ workload }) => `${workload.namespace}/${workload.name}`));
  });

function logPush(logger: Logger, status: PushStatus): void {
  const refused = status.proxies.filter((proxy) => proxy.state === "nacked").length;
  const { revision, ms } = status;
  logger.info({ revision, proxies: status.proxies.length, refused, ms }, "config pushed");
}
