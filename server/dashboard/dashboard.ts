import { join } from "node:path";
import { type ConfigApiClient, createConfigApiClient } from "../config/api-client.ts";
import { alertRule } from "../config/kinds/alert-rule.ts";
import { peerAuthentication } from "../config/kinds/peer-authentication.ts";
import { allObjects, documentsOf, servicesWithBadges } from "../config/mesh-config.ts";
import type {
  ApplicationLogEvents,
  ApplicationLogPage,
  ApplicationLogSearch,
  Circuits,
  Exemplars,
  ExplainQuery,
  Explanation,
  KnownProxy,
  LatencyHeatmap,
  LoadTargets,
  MeshService,
  MeshStatus,
  MetricCatalog,
  MetricResult,
  OutboundMetrics,
  RestartList,
  Saturation,
  TelemetryHealth,
  Trace,
  TraceList,
  TraceOperations,
  TraceSearch,
  WorkloadList,
  WorkloadMetrics,
} from "../contract/index.ts";
import { createAdminClient } from "../fleet/admin-client.ts";
import { meshPorts } from "../fleet/ports.ts";
import { createMetricsClient, createRestartsClient } from "../fleet/usage-client.ts";
import { remember } from "../lib/remember.ts";
import type { MeshFacts } from "../query/facts.ts";
import { createMeshStatus } from "../query/mesh-status.ts";
import { openAlertBook } from "../store/open-alert-book.ts";
import { retentionBook } from "../store/retention-book.ts";
import { type Advice, createAdvice } from "./advice.ts";
import { type AlertCalls, createAlerts } from "./alerts.ts";
import { createApplicationLogs } from "./application-logs.ts";
import { type Bundles, createBundles } from "./bundles.ts";
import { createCircuits } from "./circuits.ts";
import { createCollectorClient } from "./collector-client.ts";
import type { EventStream } from "./event-stream.ts";
import { createExemplars } from "./exemplars.ts";
import { createExplain } from "./explain.ts";
import { failingAs } from "./failing-as.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { openLoadReports } from "./load-reports.ts";
import { createLoadTargets } from "./load-targets.ts";
import { createLoadTests, type LoadTestCalls } from "./load-tests.ts";
import { createLogs, type Logs } from "./logs.ts";
import { createMeshes, type Meshes } from "./meshes.ts";
import { createMetrics } from "./metrics.ts";
import { createObjects, type Objects } from "./objects.ts";
import { openQueries, unreadableTelemetry } from "./open-queries.ts";
import { createProxyAdmins, type ProxyAdmins } from "./proxy-admin.ts";
import { createRetention, followedSteps, type RetentionCalls } from "./retention.ts";
import { createSecurity, type Security } from "./security.ts";
import { createServiceObjects, type ServiceObjects } from "./service-objects.ts";
import { createThresholds, type Thresholds } from "./thresholds.ts";
import { createTraces } from "./traces.ts";
import { createTraffic, type Traffic } from "./traffic.ts";
import { createWorkloads } from "./workloads.ts";

/** All that pages and API calls may ask and do. Everything rejects with `DashboardError`. */
export interface Dashboard
  extends Pick<
      ConfigApiClient,
      | "faults"
      | "injectFault"
      | "stopFault"
      | "push"
      | "pushHistory"
      | "loads"
      | "rateLimits"
      | "gateways"
      | "revokeIdentity"
      | "restoreIdentity"
      | "canaries"
      | "startCanary"
      | "actOnCanary"
      | "changes"
      | "undo"
      | "routing"
      | "setWeights"
    >,
    Advice,
    AlertCalls,
    Bundles,
    Fleet,
    LoadTestCalls,
    Logs,
    RetentionCalls,
    Meshes,
    Objects,
    ProxyAdmins,
    Security,
    Thresholds,
    Traffic {
  /** Where load can be sent in this mesh. */
  loadTargets(): Promise<LoadTargets>;
  metricCatalog(): Promise<MetricCatalog>;
  /** `query` as in contract/metrics.ts; rejects with NOT_FOUND where there is no such metric. */
  metricQuery(query: Readonly<Record<string, string>>): Promise<MetricResult>;
  outbound(query: Readonly<Record<string, string>>): Promise<OutboundMetrics>;
  saturation(query: Readonly<Record<string, string>>): Promise<Saturation>;
  /** Which parts were started again, and why. Empty where no supervisor runs here. */
  restarts(): Promise<RestartList>;
  workloads(query: { windowSec: number }): Promise<WorkloadList>;
  /** Rejects with NOT_FOUND. */
  workloadMetrics(query: { namespace: string; name: string; windowSec: number }): Promise<WorkloadMetrics>;
  traces(search: TraceSearch): Promise<TraceList>;
  /** Rejects with NOT_FOUND. */
  trace(id: string): Promise<Trace>;
  traceOperations(): Promise<TraceOperations>;
  /** `query` as `logs` has it. */
  exemplars(query: Readonly<Record<string, string>>): Promise<Exemplars>;
  latency(query: Readonly<Record<string, string>>): Promise<LatencyHeatmap>;
  /** What applications wrote. */
  applicationLogs(search: ApplicationLogSearch): Promise<ApplicationLogPage>;
  /** What applications write from now on. */
  liveApplicationLogs(search: ApplicationLogSearch): Promise<EventStream<ApplicationLogEvents>>;
  /** Rejects with INVALID, and with NOT_FOUND where no proxy is called so. */
  explain(query: Omit<ExplainQuery, "token"> & Partial<Pick<ExplainQuery, "token">>): Promise<Explanation>;
  status(): Promise<MeshStatus>;
  /** Rejects where the collector gives no answer. */
  telemetry(): Promise<TelemetryHealth>;
  /** The registry, without traffic. */
  registry(): Promise<MeshService[]>;
  /** How full the circuit breakers of a service's callers are. */
  circuits(service: { namespace: string; name: string }): Promise<Circuits>;
  /** What its editor shows. Rejects with NOT_FOUND. */
  serviceObjects(service: { namespace: string; name: string }): Promise<ServiceObjects>;
}

/** Where the mesh is. */
export interface DashboardOptions {
  portOffset: number;
  /** The folder of telemetry.db. */
  data: string;
  /** The folder that has `prisma/`. */
  root: string;
  /** Where telemetry is, when it is not in the data folder; see `openTelemetryReader`. */
  telemetryDatabase?: string | undefined;
  /** Where the config is, when it is not in the data folder: alerts are there, too. */
  configDatabase?: string | undefined;
  /** What people know this dashboard by, for links to it in what receivers are told; default: its port on loopback. */
  url?: string;
  /** Hears of what goes wrong beside the calls. */
  onError(error: unknown, what: string): void;
  /** By which the control plane knows this dashboard, and believes it for whom a write is. */
  token?: string;
}

export function createDashboard({
  portOffset,
  data,
  root,
  telemetryDatabase,
  configDatabase,
  url,
  onError,
  token,
}: DashboardOptions): Dashboard {
  const ports = meshPorts(portOffset);
  const api = createConfigApiClient(`http://127.0.0.1:${ports.configApi}`, undefined, () => token);
  const admin = createAdminClient(ports.fleet);
  const meshes = createMeshes(api);
  const services = remember(() => servicesWithBadges(api), 1000);
  const injected = remember(api.faults, 1000);
  const gateways = remember(async () => gatewaysOf(await api.knownProxies()), 1000);
  const place = { data, root, database: telemetryDatabase };
  const kept = { book: retentionBook(place), own: process.env.LIMPID_RETENTION };
  const retention = createRetention({ ...kept, book: failingAs(unreadableTelemetry(data), kept.book) });
  const queries = openQueries(place, followedSteps(kept), async () => {
    const [known, entered, { faults }] = await Promise.all([services(), gateways(), injected()]);
    return { services: known, gateways: entered, faults };
  });
  const { fleet, held, contents } = createFleet(api, ports);
  const { proxies } = fleet;
  const telemetry = remember(createCollectorClient(ports.collectorHttp), 1000);
  const traffic = createTraffic({ queries, api, proxies });
  const recorded = {
    queries,
    workloads: remember(api.workloads, 1000),
    proxies,
    objects: remember(() => allObjects(api), 1000),
  };
  const security = createSecurity({ ...recorded, certificates: api.certificates, now: Date.now });
  const restarts = createRestartsClient(ports.fleet);
  const loadTargets = createLoadTargets({ proxies, held });
  const alerts = createAlerts({
    book: openAlertBook({ data, database: configDatabase }),
    origin: url ?? `http://127.0.0.1:${ports.dashboard}`,
    rules: () => api.objects(alertRule),
    services: (windowSec) => traffic.services({ windowSec }),
    proxies,
    rootNamespace: "istio-system",
    now: Date.now,
    onError: (error) => onError(error, "alerts"),
  });
  return {
    ...api,
    ...retention,
    telemetry,
    loadTargets,
    restarts: remember(async () => ({ restarts: await restarts().catch(() => []) }), 1000),
    ...alerts,
    ...createLoadTests({
      reports: openLoadReports(join(data, "load-tests"), (file, error) => onError(error, file)),
      targets: loadTargets,
      changes: () => api.changes({ sinceMs: 0, limit: 500 }),
      now: Date.now,
      onError: (error) => onError(error, "load test"),
    }),
    ...traffic,
    ...createMetrics(queries),
    ...createThresholds(api, services),
    ...createLogs({ queries, services, now: Date.now }),
    ...createExemplars({ queries, services, now: Date.now }),
    ...createWorkloads(queries, recorded.workloads),
    ...meshes,
    ...createTraces(queries, Date.now),
    ...fleet,
    ...createApplicationLogs(queries, Date.now),
    ...createProxyAdmins({ held, admin }),
    ...createBundles({ api, meshes, proxies, config: contents, admin, telemetry, data, now: Date.now }),
    explain: createExplain({
      proxies,
      held,
      peerAuthentications: () => api.objects(peerAuthentication),
      documents: (keys) => documentsOf(api, keys),
      liveHosts: async () => (await queries()).liveHosts(),
      workloads: recorded.workloads,
      now: Date.now,
    }),
    ...createAdvice(recorded),
    ...security,
    status: createMeshStatus({
      alerts: alerts.alerts,
      security: security.securityTrouble,
      mesh: "limpid",
      proxies,
      services,
      lastPush: () => api.push("latest"),
      pushes: api.pushLatency,
      gateways: remember(api.gateways, 5000),
      faults: api.faults,
      collector: telemetry,
      health: remember(() => traffic.services({ windowSec: 60 }), 1500),
      freshness: async () => (await queries()).freshness(),
      now: Date.now,
    }),
    registry: services,
    ...createObjects(api),
    serviceObjects: createServiceObjects(api, services),
    circuits: createCircuits({ services, proxies, metrics: createMetricsClient(ports.fleet), now: Date.now }),
  };
}

const gatewaysOf = (proxies: readonly KnownProxy[]): MeshFacts["gateways"] =>
  proxies
    .filter(({ kind }) => kind === "gateway")
    .map(({ namespace, name, app, version }) => ({ namespace, app, version, workload: name }));
