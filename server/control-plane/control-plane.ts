import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import type { Sealer } from "../ca/sealer.ts";
import type { ResourceKey } from "../config/object.ts";
import type { ConfigChange, ConfigSource } from "../config/store.ts";
import type { EnvoyPreview, MeshService, PushLatency, PushStatus, PushSummary } from "../contract/index.ts";
import { HealthDiscoveryService } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { RateLimitService } from "../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { IstioCertificateService } from "../gen/proto/istio/security/v1alpha1/ca_pb.js";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { memo } from "../lib/memo.ts";
import { checkedPorts } from "../model/health-checks.ts";
import type { Mesh, MeshOptions } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { ownIdentity } from "../model/trust-domains.ts";
import type { CounterStore } from "../ratelimit/counters.ts";
import { RateLimiter, type Usage } from "../ratelimit/rate-limiter.ts";
import { addRateLimitService } from "../ratelimit/service.ts";
import type { TranslateOptions } from "../translate/options.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { configOriginOf } from "../xds/csds-client.ts";
import { addHealthDiscovery, type HdsOptions } from "../xds/hds.ts";
import { defaultLimits, type XdsLimits } from "../xds/limits.ts";
import type { ClusterLoad } from "../xds/load-reports.ts";
import { nodeFacts } from "../xds/node-facts.ts";
import type { Session } from "../xds/session.ts";
import { TypeUrl } from "../xds/types.ts";
import { createCredentials } from "./credentials.ts";
import { Debounce, type DebounceOptions, defaultDebounce } from "./debounce.ts";
import { Distributor } from "./distributor.ts";
import { Foreteller, type Foretold, type Rehearse } from "./foretell.ts";
import { HealthFacts } from "./health-facts.ts";
import { certificateServices } from "./identity/certificate-service.ts";
import { createIdentities, type Identities, type IdentityFiles } from "./identity/identities.ts";
import { createJoinServer } from "./identity/join-server.ts";
import { authenticateBy, type TokenReviewer } from "./identity/token-review.ts";
import { type IstiodMetrics, istiodMetrics } from "./istiod-metrics.ts";
import { KnownProxies, type KnownProxiesFile } from "./known-proxies.ts";
import { Metrics } from "./metrics.ts";
import { configPathOf } from "./origins.ts";
import { PendingChanges } from "./pending-changes.ts";
import { createMeshPipeline } from "./pipeline.ts";
import { previewChange } from "./preview.ts";
import { addProcessMetrics } from "./process-metrics.ts";
import { PushLatencies } from "./push-latencies.ts";
import { PushTracker } from "./push-tracker.ts";
import { RefusalMemory } from "./refusal-memory.ts";
import { followStore } from "./store-follower.ts";

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
  metrics: Metrics;
  /** Counts an object that somebody wanted to write. */
  validated: IstiodMetrics["validated"];
}

export interface Pushes {
  get(revision: number | "latest"): PushStatus | undefined;
  /** Those that are remembered, the newest first. */
  history(): PushSummary[];
  /** How many connected proxies a change of these objects concerns: exact for what they already use, else an upper bound. */
  affected(keys: readonly ResourceKey[]): number;
  /** What the changes, not made yet, would mean for the connected proxies, and what of it they would refuse. `shown` false: only that. */
  preview(
    changes: readonly ConfigChange[],
    options?: { shown?: boolean },
  ): Promise<{ envoy: EnvoyPreview; refusals: Foretold[] }>;
  /** How long the pushes of the last day took. */
  latency(): PushLatency;
  /** When every affected proxy has answered, or as it stands after `timeoutMs`. */
  wait(revision: number, timeoutMs: number): Promise<PushStatus | undefined>;
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
  /** Asks the bundled sidecar what it would refuse; unset: only what was refused before is foretold. */
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
  const withMissed = (status: PushStatus | undefined) => status && { ...status, missed: known.missed(status.revision) };

  const pending = new PendingChanges();
  const facts = new HealthFacts({ clock, onChange: () => debounce.poke() });
  const limiter = new RateLimiter(options.rateLimitCounters);
  let limits = pipeline.rateLimits();
  const reloadLimits = () => {
    if (limits === pipeline.rateLimits()) return;
    limits = pipeline.rateLimits();
    limiter.reload(limits);
  };
  /** Why the mesh that is served lacks changes. */
  let stale: string | undefined;
  let ready = false;
  let port = 0;

  async function push(): Promise<void> {
    const { changes, commits, revision } = pending.take();
    try {
      pipeline.apply(changes, revision ?? pipeline.revision);
      pipeline.observe(facts.health);
      stale = undefined;
      reloadLimits();
      facts.setPorts(checkedPorts(pipeline.mesh([])));
    } catch (error) {
      stale = `revision ${revision} could not be applied, the last mesh stays in force: ${error instanceof Error ? error.message : error}`;
      // Whoever corrects it sends another change; what was beside it must not get lost.
      pending.giveBack(changes);
      logger.error({ err: error, revision }, "the mesh could not be updated");
      count.translateFailures();
      istiod.failed();
    }
    istiod.triggered(commits.length > 0 ? "config" : "endpoint");
    tracker.begin(commits);
    await distributor.distribute((session, name) => {
      count.affected();
      tracker.affect(commits, session, name);
    });
    tracker.seal(commits);
  }

  const debounce = new Debounce(clock, { ...defaultDebounce, ...options.debounce }, push);
  const follower = followStore({
    store,
    clock,
    logger,
    onList(objects, revision) {
      pending.take();
      pipeline.reset(objects, revision);
      reloadLimits();
      facts.setPorts(checkedPorts(pipeline.mesh([])));
      if (ready) debounce.poke();
    },
    onCommit(commit) {
      pending.add(commit);
      istiod.changed(commit.changes);
      debounce.poke();
    },
  });

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
    services: [
      { service: RateLimitService, add: (grpc) => addRateLimitService(grpc, { limiter, clock }) },
      ...(signing ? [{ service: IstioCertificateService, add: signing.byCertificate }] : []),
      { service: HealthDiscoveryService, add: (grpc) => addHealthDiscovery(grpc, probing) },
    ],
    events: {
      connected(session) {
        distributor.connect(session);
        known.connected(session);
        const { node, protocol, identity } = session;
        logger.info({ proxy: node.id, protocol, identity }, "proxy connected");
      },
      disconnected(session) {
        distributor.disconnect(session);
        known.disconnected(session);
        tracker.gone(session);
        logger.info({ proxy: session.node.id }, "proxy disconnected");
      },
      pushed(_session, typeUrl, sent) {
        const type = shortName(typeUrl);
        count.pushes(1, { type });
        istiod.pushed(
          typeUrl,
          sent.resources.reduce((sum, { value }) => sum + value.length, 0),
        );
        count.resources(sent.resources.length + sent.removed.length, { type });
      },
      nacked(session, typeUrl, refused, message) {
        count.nacks(1, { type: shortName(typeUrl) });
        istiod.refused(typeUrl);
        logger.warn(
          { proxy: session.node.id, type: shortName(typeUrl), refused: [...refused.keys()], message },
          "refused",
        );
        // Secrets come from no config object: theirs is not the fault of the change that happens to be on its way.
        if (typeUrl === TypeUrl.secret) return;
        for (const [name, detail] of refused) {
          tracker.refused(session, describeRefusal(session, typeUrl, name, detail));
          const { version } = session.subscriptions.get(typeUrl)?.refused(name) ?? {};
          if (version !== undefined)
            memory.note(nodeFacts(session.node).implementation, typeUrl, name, version, detail);
        }
      },
      settled(session, revision) {
        known.settled(session, revision);
        tracker.settled(session, revision);
      },
    },
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
    "Changes of the registry that no commit made: health.",
    () => facts.sequence,
  );
  metrics.gauge("limpid_config_revision", "Config revision of the mesh that is served.", () => pipeline.revision);

  return {
    async start() {
      await follower.start();
      known.start();
      port = await server.start();
      joinPort = await joins?.start();
      ready = true;
      logger.info({ port, tlsPort: server.tlsPort(), revision: pipeline.revision }, "xds is served");
    },
    async stop() {
      ready = false;
      await follower.stop();
      facts.stop();
      await debounce.stop();
      // Before the streams are ended by ourselves: those proxies were there to the last.
      known.stop();
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
    checks: () => [
      { name: "config-watch", problem: follower.problem() },
      { name: "mesh", problem: stale },
    ],
    mesh: () => pipeline.mesh(pending.peek()),
    gatewayProxies: () => distributor.proxies().filter((proxy) => proxy.type === "router"),
    pushes: {
      get: (revision) => withMissed(tracker.get(revision)),
      history: () => tracker.history(),
      latency: () => latencies.summary(),
      wait: async (revision, timeoutMs) => withMissed(await tracker.wait(revision, timeoutMs)),
      affected: (keys) => affected(distributor, keys),
      async preview(changes, { shown = true } = {}) {
        const implementations = new Map(known.list().map(({ id, implementation }) => [id, implementation]));
        const implementationOf = ({ id }: MeshProxy) => implementations.get(id) ?? "";
        const foreteller = new Foreteller({ rehearse: options.rehearse, memory, implementationOf });
        const translate = pipeline.preview(changes, pending.peek());
        const envoy = await previewChange(translate, distributor.proxies(), { foreteller, shown });
        return { envoy, refusals: foreteller.refusals };
      },
    },
    proxies: known,
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

/** What an object leaves no trace of in resources (services, workloads, what is new) may concern everyone; a gateway, routers. */
function affected(distributor: Distributor, keys: readonly ResourceKey[]): number {
  const paths = keys.flatMap((key) => configPathOf(key) ?? []);
  const untraced = keys.filter((key) => {
    const path = configPathOf(key);
    return path === undefined || !distributor.isTraced(path);
  });
  if (untraced.length === 0) return distributor.countAffected(paths, undefined);
  const onlyGateways = untraced.every((key) => key.kind === "Gateway");
  return distributor.countAffected(paths, (proxy) => !onlyGateways || proxy.type === "router");
}

function describeRefusal(session: Session, typeUrl: string, name: string, detail: string): string {
  const refused = session.subscriptions.get(typeUrl)?.refused(name);
  const origin = refused && configOriginOf({ typeUrl, value: refused.resource.value });
  return `${shortName(typeUrl)} ${name}: ${detail}${origin ? ` (from ${origin})` : ""}`;
}

function declareCounters(metrics: Metrics) {
  return {
    pushes: metrics.counter("limpid_xds_pushes_total", "Responses sent, by resource type."),
    resources: metrics.counter("limpid_xds_pushed_resources_total", "Resources sent or removed, by resource type."),
    nacks: metrics.counter("limpid_xds_nacks_total", "Responses that a proxy refused, by resource type."),
    affected: metrics.counter("limpid_push_proxies_total", "Proxies that a config change gave something new."),
    translateMs: metrics.counter("limpid_translate_milliseconds_total", "Time spent translating and encoding."),
    translateFailures: metrics.counter(
      "limpid_translate_failures_total",
      "Translations that failed; the proxy kept what it had.",
    ),
  };
}

function logPush(logger: Logger, status: PushStatus): void {
  const refused = status.proxies.filter((proxy) => proxy.state === "nacked").length;
  const { revision, ms } = status;
  logger.info({ revision, proxies: status.proxies.length, refused, ms }, "config pushed");
}

const shortName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
