import { join } from "node:path";
import { type ConfigApiClient, createConfigApiClient, type WriteOptions } from "../config/api-client.ts";
import { alertRule } from "../config/kinds/alert-rule.ts";
import { peerAuthentication } from "../config/kinds/peer-authentication.ts";
import { workloadEntry } from "../config/kinds/workload-entry.ts";
import { keepLastApplied } from "../config/last-applied.ts";
import {
  allObjects,
  type ConfigDocument,
  documentsOf,
  findDocument,
  listDocuments,
  servicesWithBadges,
} from "../config/mesh-config.ts";
import type { Write } from "../config/store.ts";
import {
  type ApplicationLogEvents,
  type ApplicationLogPage,
  type ApplicationLogSearch,
  type ChangeResult,
  type Circuits,
  DashboardError,
  type Exemplars,
  type ExplainQuery,
  type Explanation,
  type Graph,
  type KindList,
  type KindSchema,
  type KnownProxy,
  type LatencyHeatmap,
  type LoadTargets,
  type MeshService,
  type MeshStatus,
  type MetricCatalog,
  type MetricResult,
  type OutboundMetrics,
  type Overview,
  type ProxyConfigDump,
  type ProxyList,
  type ProxyResourceContents,
  type Saturation,
  type ServiceList,
  type ServiceMetrics,
  type TelemetryHealth,
  type Trace,
  type TraceList,
  type TraceOperations,
  type TraceSearch,
  told,
  type WorkloadList,
  type WorkloadMetrics,
  type XdsTypeName,
} from "../contract/index.ts";
import { createAdminClient } from "../fleet/admin-client.ts";
import { meshPorts } from "../fleet/ports.ts";
import { createMetricsClient, createSupervisedClient, createUsageClient } from "../fleet/usage-client.ts";
import { remember } from "../lib/remember.ts";
import { withBadgesThen } from "../query/badges-then.ts";
import type { MeshFacts } from "../query/facts.ts";
import {
  dumpProxy,
  type ExpectedProxy,
  type FleetSource,
  listProxies,
  readProxyResource,
} from "../query/fleet-status.ts";
import { createMeshStatus } from "../query/mesh-status.ts";
import { missingProxies } from "../query/missing-proxies.ts";
import { createProxyUsage } from "../query/proxy-usage.ts";
import { createQueries, type Queries } from "../query/queries.ts";
import { openTelemetryReader, type TelemetryPlace } from "../store/open-telemetry.ts";
import { retentionBook } from "../store/retention-book.ts";
import { fetchHeldResources, fetchProxyStatuses } from "../xds/csds-client.ts";
import { nodeIdFacts } from "../xds/node-facts.ts";
import { type Advice, createAdvice } from "./advice.ts";
import { type AlertCalls, createAlerts } from "./alerts.ts";
import { createApplicationLogs } from "./application-logs.ts";
import { createCircuits } from "./circuits.ts";
import { createCollectorClient } from "./collector-client.ts";
import { debugBundle } from "./debug-bundle.ts";
import type { EventStream } from "./event-stream.ts";
import { createExemplars } from "./exemplars.ts";
import { createExplain } from "./explain.ts";
import { failingAs } from "./failing-as.ts";
import { prepareJson } from "./json-answer.ts";
import { kindList, kindSchema } from "./kind-schemas.ts";
import { openLoadReports } from "./load-reports.ts";
import { createLoadTargets } from "./load-targets.ts";
import { createLoadTests, type LoadTestCalls } from "./load-tests.ts";
import { createLogs, type Logs } from "./logs.ts";
import { createMeshes, type Meshes } from "./meshes.ts";
import { createMetrics } from "./metrics.ts";
import { createProxyAdmins, type ProxyAdmins } from "./proxy-admin.ts";
import { readDocuments } from "./read-documents.ts";
import { createRetention, followedSteps, type RetentionCalls } from "./retention.ts";
import { createSecurity, type Security } from "./security.ts";
import { createThresholds, type Thresholds } from "./thresholds.ts";
import { createTraces } from "./traces.ts";
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
    LoadTestCalls,
    Logs,
    RetentionCalls,
    Meshes,
    ProxyAdmins,
    Security,
    Thresholds {
  /** Where load can be sent in this mesh. */
  loadTargets(): Promise<LoadTargets>;
  graph(query: { windowSec: number; at?: number }): Promise<Graph>;
  overview(query?: { window?: number | undefined; at?: number | undefined }): Promise<Overview>;
  metricCatalog(): Promise<MetricCatalog>;
  /** `query` as in contract/metrics.ts; rejects with NOT_FOUND where there is no such metric. */
  metricQuery(query: Readonly<Record<string, string>>): Promise<MetricResult>;
  outbound(query: Readonly<Record<string, string>>): Promise<OutboundMetrics>;
  saturation(query: Readonly<Record<string, string>>): Promise<Saturation>;
  services(query: { windowSec: number; at?: number }): Promise<ServiceList>;
  serviceMetrics(query: { namespace: string; name: string; windowSec: number; at?: number }): Promise<ServiceMetrics>;
  workloads(query: { windowSec: number }): Promise<WorkloadList>;
  /** Rejects with NOT_FOUND. */
  workloadMetrics(query: { namespace: string; name: string; windowSec: number }): Promise<WorkloadMetrics>;
  traces(search: TraceSearch): Promise<TraceList>;
  /** Rejects with NOT_FOUND. */
  trace(id: string): Promise<Trace>;
  traceOperations(): Promise<TraceOperations>;
  proxies(): Promise<ProxyList>;
  /** One that is gone for good is not expected any more. */
  forgetProxy(id: string, options: WriteOptions): Promise<ProxyList>;
  proxyConfig(id: string): Promise<ProxyConfigDump>;
  /** Of the mesh, or of one proxy, as a .tar.gz. Rejects with NOT_FOUND where nobody knows the proxy. */
  debugBundle(id?: string): Promise<{ name: string; data: Buffer }>;
  proxyResource(id: string, resource: { type: XdsTypeName; name: string }): Promise<ProxyResourceContents>;
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
  object(key: { kind: string; namespace: string; name: string }): Promise<ConfigDocument>;
  objects(kind?: string): Promise<{ objects: ConfigDocument[] }>;
  /** Writes the objects of a text and takes others away, as one change. */
  applyYaml(text: string, gone: readonly ObjectKey[], options: WriteOptions): Promise<ChangeResult>;
  kinds(): Promise<KindList>;
  /** Rejects with NOT_FOUND. */
  kindSchema(kind: string): Promise<KindSchema>;
  /** How full the circuit breakers of a service's callers are. */
  circuits(service: { namespace: string; name: string }): Promise<Circuits>;
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
  onError,
  token,
}: DashboardOptions): Dashboard {
  const ports = meshPorts(portOffset);
  const api = createConfigApiClient(`http://127.0.0.1:${ports.configApi}`, undefined, () => token);
  const fleet: FleetSource = (options) => fetchProxyStatuses(`127.0.0.1:${ports.xds}`, options).catch(unreachable);
  const held = (id: string) => fetchHeldResources(`127.0.0.1:${ports.xds}`, id).catch(unreachable);
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
  const usage = remember(createProxyUsage({ read: createUsageClient(ports.fleet), now: Date.now }), 1000);
  const expected = remember(() => expectedProxies(api, ports.fleet), 1000);
  const proxies = remember(
    () => listProxies({ connected: fleet, known: api.knownProxies, expected, usage }, Date.now()),
    500,
  );
  const telemetry = remember(createCollectorClient(ports.collectorHttp), 1000);
  const serviceList: Dashboard["services"] = async ({ windowSec, at }) => {
    const [list, seen] = await Promise.all([
      queries().then((ready) => ready.serviceList({ window: windowSec, ...(at !== undefined && { at }) })),
      proxies().catch(() => undefined),
    ]);
    if (!seen) return list;
    const services = list.services.map((one) => ({ ...one, missingProxies: missingProxies(one, seen.proxies) }));
    return { ...list, services };
  };
  const recorded = {
    queries,
    workloads: remember(api.workloads, 1000),
    proxies,
    objects: remember(() => allObjects(api), 1000),
  };
  const security = createSecurity({ ...recorded, certificates: api.certificates, now: Date.now });
  const loadTargets = createLoadTargets({ proxies, held });
  const alerts = createAlerts({
    data,
    origin: `http://127.0.0.1:${ports.dashboard}`,
    rules: () => api.objects(alertRule),
    services: (windowSec) => serviceList({ windowSec }),
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
    ...alerts,
    ...createLoadTests({
      reports: openLoadReports(join(data, "load-tests"), (file, error) => onError(error, file)),
      targets: loadTargets,
      changes: () => api.changes({ sinceMs: 0, limit: 500 }),
      now: Date.now,
      onError: (error) => onError(error, "load test"),
    }),
    async graph({ windowSec, at }) {
      const ready = await queries();
      if (at === undefined) return ready.graph({ window: windowSec });
      const [graph, then] = await Promise.all([
        ready.graph({ window: windowSec, at }),
        api.badgesThen(at).catch(() => undefined),
      ]);
      return withBadgesThen(graph, then);
    },
    overview: async (query) => (await queries()).overview(query),
    ...createMetrics(queries),
    ...createThresholds(api, services),
    services: serviceList,
    ...createLogs({ queries, services, now: Date.now }),
    ...createExemplars({ queries, services, now: Date.now }),
    serviceMetrics: async ({ windowSec, ...service }) =>
      (await queries()).serviceMetrics({ ...service, window: windowSec }),
    ...createWorkloads(queries, recorded.workloads),
    ...meshes,
    ...createTraces(queries, Date.now),
    proxies,
    async forgetProxy(id, options) {
      await api.forgetProxy(id, options);
      const list = await proxies();
      return { ...list, proxies: list.proxies.filter((proxy) => proxy.id !== id) };
    },
    proxyConfig: (id) => dumpProxy(fleet, id, Date.now()),
    proxyResource: (id, resource) => readProxyResource(fleet, id, resource),
    ...createApplicationLogs(queries, Date.now),
    ...createProxyAdmins({ held, admin }),
    async debugBundle(id) {
      const list = await proxies();
      if (id !== undefined && !list.proxies.some((proxy) => proxy.id === id)) {
        throw new DashboardError({ code: "NOT_FOUND", ...told("no-proxy", { id }) });
      }
      const config = async (proxy: string) => (await fleet({ nodeId: proxy, contents: true }))[0]?.resources;
      const mesh = {
        "mesh.yaml": async () => (await meshes.exportMesh()).yaml,
        "history.json": () => api.changes({ sinceMs: 0, limit: 200 }),
        "pushes.json": api.pushHistory,
        "proxies.json": proxies,
        "telemetry.json": telemetry,
      };
      return debugBundle({ proxies, config, admin, mesh, data, now: Date.now }, id);
    },
    explain: createExplain({
      proxies,
      held,
      peerAuthentications: () => api.objects(peerAuthentication),
      documents: (keys) => documentsOf(api, keys),
      liveHosts: async () => (await queries()).liveHosts(),
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
      faults: api.faults,
      collector: telemetry,
      health: remember(() => serviceList({ windowSec: 60 }), 1500),
      freshness: async () => (await queries()).freshness(),
      now: Date.now,
    }),
    registry: services,
    object: (key) => findDocument(api, key),
    objects: async (kind) => ({ objects: await listDocuments(api, kind) }),
    kinds: async () => kindList(),
    kindSchema: (kind) => kindSchema(api, kind),
    circuits: createCircuits({ services, proxies, metrics: createMetricsClient(ports.fleet), now: Date.now }),
    async applyYaml(text, gone, options) {
      const documents = await readDocuments(text);
      const edited = await Promise.all(documents.map((object) => keepLastApplied(object, api.objects)));
      return api.transact(
        [
          ...edited.map((object): Write => {
            // A version in the YAML is the one it was edited from: somebody else's write meanwhile is a conflict, as with kubectl replace.
            const expect = object.metadata.resourceVersion;
            return { op: "put", object, ...(expect && { expect }) };
          }),
          ...gone.map(
            ({ resourceVersion: expect, ...key }): Write => ({ op: "delete", key, ...(expect && { expect }) }),
          ),
        ],
        undefined,
        options,
      );
    },
  };
}

/** An object to be taken away; with a version, only as long as it is that. */
interface ObjectKey {
  kind: string;
  namespace: string;
  name: string;
  resourceVersion?: string | undefined;
}

const gatewaysOf = (proxies: readonly KnownProxy[]): MeshFacts["gateways"] =>
  proxies
    .filter(({ kind }) => kind === "gateway")
    .map(({ namespace, name, app, version }) => ({ namespace, app, version, workload: name }));

/** Istio's injector labels a workload so when it gets a proxy. https://istio.io/latest/docs/reference/config/labels/ */
const hasProxyLabel = ["security.istio.io/tlsMode", "istio"] as const;

/** The supervisor's proxies, and those of workloads that are labelled to have one. Who can't be asked expects nobody. */
async function expectedProxies(api: ConfigApiClient, fleetPort: number): Promise<ExpectedProxy[]> {
  const [supervised, workloads] = await Promise.all([
    createSupervisedClient(fleetPort)().catch(() => []),
    api.objects(workloadEntry).catch(() => []),
  ]);
  const [label, value] = hasProxyLabel;
  const labelled = workloads.flatMap(({ metadata, spec }): ExpectedProxy[] => {
    const labels = { ...metadata.labels, ...(spec.labels as Record<string, string> | undefined) };
    const { name, namespace = "" } = metadata;
    const address = String(spec.address ?? "");
    if (labels[label] !== value) return [];
    const workload = labels["service.istio.io/workload-name"] ?? name;
    return [{ ...nodeIdFacts(`sidecar~${address}~${name}.${namespace}~`), name: workload }];
  });
  return [...supervised.map(nodeIdFacts), ...labelled];
}

/** Opens telemetry when it is first asked for, and again after a failure. */
function openQueries(
  place: TelemetryPlace,
  kept: ReturnType<typeof followedSteps>,
  facts: Parameters<typeof createQueries>[0]["facts"],
): () => Promise<Queries> {
  const unreadable = unreadableTelemetry(place.data);
  const opened = remember(async () => {
    const reader = await openTelemetryReader(place).catch(unreadable);
    return createQueries({
      reader: failingAs(unreadable, reader),
      facts,
      keptSec: kept.steps,
      prepare: prepareJson,
    });
  }, Number.POSITIVE_INFINITY);
  return () => {
    void kept.follow().catch(() => undefined); // what held before holds until it can be read again
    return opened();
  };
}

const unreadableTelemetry =
  (data: string) =>
  (error: unknown): never => {
    const why = error instanceof Error ? error.message : String(error);
    const words = told("telemetry-unreadable", { why: why.replaceAll(join(data, "telemetry.db"), "telemetry.db") });
    throw new DashboardError({ code: "TELEMETRY_UNREACHABLE", ...words });
  };

function unreachable(error: Error): never {
  throw new DashboardError({ code: "CONTROL_PLANE_UNREACHABLE", ...told("csds-silent", { why: error.message }) });
}
