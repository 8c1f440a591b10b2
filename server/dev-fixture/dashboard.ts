// A stand-in for the real read models, so that the pages can be built and looked at before those exist.
import type {
  ApiError,
  Change,
  ChangeList,
  ChangeResult,
  Fault,
  FaultList,
  FaultRequest,
  Graph,
  MeshStatus,
  ProxyConfigDump,
  ProxyList,
  PushStatus,
  Routing,
  ServiceList,
  ServiceMetrics,
  WeightsChange,
} from "../contract/index.ts";
import { bookinfoGraph, largeGraph } from "./graph.ts";
import { metricsOf } from "./metrics.ts";
import { proxiesOf, proxyNames } from "./proxies.ts";
import { routingOf, servicesOf, virtualServiceYaml } from "./services.ts";

export interface ConfigObject {
  kind: string;
  namespace: string;
  name: string;
  resourceVersion: string;
  yaml: string;
}

export interface Dashboard {
  graph(query: { windowSec: number; at?: number }): Promise<Graph>;
  services(query: { windowSec: number }): Promise<ServiceList>;
  serviceMetrics(query: { namespace: string; name: string; windowSec: number }): Promise<ServiceMetrics>;
  routing(query: { namespace: string; name: string }): Promise<Routing>;
  setWeights(
    namespace: string,
    name: string,
    change: WeightsChange,
    how: { dryRun: boolean; user: string },
  ): Promise<ChangeResult>;
  faults(): Promise<FaultList>;
  injectFault(request: FaultRequest, how: { dryRun: boolean; user: string }): Promise<ChangeResult>;
  stopFault(id: string, how: { user: string }): Promise<ChangeResult>;
  proxies(): Promise<ProxyList>;
  proxyConfig(id: string): Promise<ProxyConfigDump>;
  push(revision: number | "latest"): Promise<PushStatus | null>;
  changes(query: { sinceMs: number; limit: number }): Promise<ChangeList>;
  undo(revision: number, how: { user: string }): Promise<ChangeResult>;
  status(): Promise<MeshStatus>;
  object(ref: { kind: string; namespace: string; name: string }): Promise<ConfigObject>;
  objects(kind?: string): Promise<{ objects: ConfigObject[] }>;
  applyYaml(text: string, how: { dryRun: boolean; user: string }): Promise<ChangeResult>;
}

export class DashboardError extends Error implements ApiError {
  readonly code: ApiError["code"];
  readonly errors?: ApiError["errors"];
  constructor(code: ApiError["code"], message: string, errors?: ApiError["errors"]) {
    super(message);
    this.code = code;
    this.errors = errors;
  }
}

export interface State {
  revision: number;
  weights: Record<string, number>;
  faults: Fault[];
  changes: Change[];
  push: PushStatus;
  startedAt: number;
}

const shared = globalThis as unknown as { limpidFixture?: State };

export function fixtureDashboard(): Dashboard {
  shared.limpidFixture ??= initialState();
  const state = shared.limpidFixture;
  const tick = () => {
    const now = Date.now();
    for (const fault of state.faults.filter((fault) => fault.endsAt !== null && fault.endsAt <= now)) {
      state.faults = state.faults.filter((other) => other !== fault);
      commit(state, "fault-end", `fault on ${fault.service} ended`, "limpid", fault.service);
    }
    return now;
  };
  const large = Number(process.env.LIMPID_FIXTURE_NODES ?? 0);
  return {
    graph: async ({ windowSec, at }) => {
      if (process.env.LIMPID_FIXTURE_FAIL)
        throw new DashboardError("TELEMETRY_UNREACHABLE", "The telemetry store does not answer.");
      return large ? largeGraph(large, at ?? tick()) : bookinfoGraph(state, at ?? tick(), windowSec);
    },
    services: async ({ windowSec }) => servicesOf(bookinfoGraph(state, tick(), windowSec), windowSec),
    serviceMetrics: async ({ namespace, name, windowSec }) => {
      const metrics = metricsOf(bookinfoGraph(state, tick(), windowSec), namespace, name, windowSec, state);
      if (!metrics) throw new DashboardError("NOT_FOUND", `There is no service ${namespace}/${name}.`);
      return metrics;
    },
    routing: async ({ name }) => routingOf(name, state),
    setWeights: async (_namespace, name, change, { dryRun, user }) => {
      const before = virtualServiceYaml(name, state.weights, state.faults);
      const after = virtualServiceYaml(name, change.weights, state.faults);
      if (!dryRun) {
        const text = (weights: Record<string, number>) => Object.values(weights).join("/");
        const summary = `${name} ${text(state.weights)} → ${text(change.weights)}`;
        state.weights = { ...change.weights };
        commit(state, "traffic", summary, user, name);
      }
      return changed(state, dryRun, name, before, after);
    },
    faults: async () => ({ now: tick(), faults: state.faults }),
    injectFault: async (request, { dryRun, user }) => {
      const before = virtualServiceYaml(request.service, state.weights, state.faults);
      const fault: Fault = {
        id: `${request.namespace}/${request.service}/f${state.revision}`,
        namespace: request.namespace,
        service: request.service,
        virtualService: request.service,
        delay: request.delay,
        abort: request.abort,
        matches: request.header ? [`header ${request.header.name} = ${request.header.exact}`] : [],
        author: user,
        startedAt: Date.now(),
        endsAt: request.durationSec === null ? null : Date.now() + request.durationSec * 1000,
      };
      const faults = [...state.faults, fault];
      const after = virtualServiceYaml(request.service, state.weights, faults);
      if (!dryRun) {
        state.faults = faults;
        const what = request.abort
          ? `${request.abort.httpStatus} ${request.abort.percentage} %`
          : `+${request.delay?.fixedDelayMs} ms`;
        commit(state, "fault-start", `fault: ${request.service} ${what}`, user, request.service);
      }
      return changed(state, dryRun, request.service, before, after);
    },
    stopFault: async (id, { user }) => {
      const fault = state.faults.find((fault) => fault.id === id);
      if (!fault) throw new DashboardError("NOT_FOUND", `There is no fault ${id}.`);
      const before = virtualServiceYaml(fault.service, state.weights, state.faults);
      state.faults = state.faults.filter((other) => other !== fault);
      commit(state, "fault-end", `fault on ${fault.service} stopped`, user, fault.service);
      return changed(
        state,
        false,
        fault.service,
        before,
        virtualServiceYaml(fault.service, state.weights, state.faults),
      );
    },
    proxies: async () => proxiesOf(state, tick()),
    proxyConfig: async (id) => ({
      id,
      at: Date.now(),
      resources: (["LDS", "RDS", "VHDS", "CDS", "EDS"] as const).map((type) => ({
        type,
        name:
          type === "LDS"
            ? "127.0.1.1_15001"
            : type === "CDS"
              ? "outbound|9080|v2|reviews.default.svc.cluster.local"
              : "http_proxy",
        version: `r${state.revision}`,
        state: "SYNCED" as const,
        updatedAt: state.push.committedAt,
        error: null,
        config: {
          name: `${type} resource`,
          weights: state.weights,
          nested: { timeout: "2s", domains: ["reviews:9080"] },
        },
      })),
    }),
    push: async (revision) => (revision === "latest" || revision === state.push.revision ? state.push : null),
    changes: async ({ sinceMs, limit }) => ({
      changes: state.changes.filter((change) => change.at >= sinceMs).slice(0, limit),
    }),
    undo: async (revision, { user }) => {
      const change = state.changes.find((change) => change.revision === revision);
      if (!change) throw new DashboardError("NOT_FOUND", `There is no revision ${revision}.`);
      commit(state, "config", `undo of revision ${revision}`, user, "reviews");
      return changed(state, false, "reviews", "", virtualServiceYaml("reviews", state.weights, state.faults));
    },
    status: async () => statusOf(state, tick()),
    object: async ({ kind, namespace, name }) => ({
      kind,
      namespace,
      name,
      resourceVersion: String(state.revision),
      yaml: virtualServiceYaml(name, state.weights, state.faults),
    }),
    objects: async () => ({
      objects: ["productpage", "reviews", "ratings", "details"].map((name) => ({
        kind: "VirtualService",
        namespace: "default",
        name,
        resourceVersion: String(state.revision),
        yaml: virtualServiceYaml(name, state.weights, state.faults),
      })),
    }),
    applyYaml: async (text, { dryRun, user }) => {
      if (!text.includes("kind:")) {
        throw new DashboardError("INVALID", "The document is not a mesh resource.", [
          { path: "kind", message: "is required" },
        ]);
      }
      if (!dryRun) commit(state, "config", "reviews edited", user, "reviews");
      return changed(state, dryRun, "reviews", virtualServiceYaml("reviews", state.weights, state.faults), text);
    },
  };
}

function initialState(): State {
  const now = Date.now();
  const state: State = {
    revision: 212,
    weights: { v1: 60, v2: 30, v3: 10 },
    faults: [],
    changes: [],
    push: { revision: 212, committedAt: now, author: "admin", reason: null, complete: true, ms: 9, proxies: [] },
    startedAt: now - 3_600_000,
  };
  commit(state, "traffic", "reviews 60/30/10 → 50/30/20", "admin", "reviews", now - 150_000);
  state.weights = { v1: 50, v2: 30, v3: 20 };
  state.faults.push({
    id: "default/ratings/f1",
    namespace: "default",
    service: "ratings",
    virtualService: "ratings",
    delay: null,
    abort: { percentage: 25, httpStatus: 503 },
    matches: [],
    author: "admin",
    startedAt: now - 60_000,
    endsAt: now + 1_800_000,
  });
  commit(state, "fault-start", "fault: ratings 503 25 %", "admin", "ratings", now - 60_000);
  return state;
}

function commit(
  state: State,
  kind: Change["kind"],
  summary: string,
  author: string,
  name: string,
  at = Date.now(),
): void {
  state.revision += 1;
  state.changes.unshift({
    revision: state.revision,
    at,
    author,
    summary,
    kind,
    objects: [{ type: "MODIFIED", kind: "VirtualService", namespace: "default", name }],
  });
  const proxies = proxyNames.map((name, index) => ({
    id: `sidecar~127.0.1.${index + 1}~${name}.default~default.svc.cluster.local`,
    name,
    state: "acked" as const,
    ms: 4 + ((index * 3) % 6),
    error: null,
  }));
  state.push = { revision: state.revision, committedAt: at, author, reason: summary, complete: true, ms: 9, proxies };
}

const changed = (state: State, dryRun: boolean, name: string, before: string, after: string): ChangeResult => ({
  revision: state.revision,
  dryRun,
  objects: [{ kind: "VirtualService", namespace: "default", name, before, after }],
  proxies: 7,
});

const statusOf = (state: State, now: number): MeshStatus => ({
  at: now,
  mesh: "bookinfo",
  proxies: { total: 7, inSync: 7, refused: 0, lagging: 0 },
  lastPush: state.push,
  services: 5,
  faults: state.faults.length,
  freshAt: now - 400,
  controlPlane: { reachable: true, since: state.startedAt, message: null },
  telemetry: { reachable: true, message: null },
});
