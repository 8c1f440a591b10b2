import { z } from "zod";
import {
  ApplicationLogSearch,
  CanaryAction,
  CanaryRequest,
  ChangeQuery,
  DesignRequest,
  ExplainQuery,
  FaultRequest,
  ImportRequest,
  LoadPlan,
  LogLevel,
  MadeLoadTest,
  MeshComparisonRequest,
  PartialThresholds,
  PolicyCheckRequest,
  ReceiverRequest,
  RestoreRequest,
  RetentionChange,
  RevocationRequest,
  TraceSearch,
  WeightsChange,
  wholeMesh,
  windowSeconds,
  XdsTypeName,
} from "../contract/index.ts";
import { type ApiCall, type ApiRoutes, authorOf, createApiRoutes, Download, type RouteOptions } from "./api-call.ts";
import type { Dashboard } from "./dashboard.ts";
import { At, Window } from "./metrics.ts";
import { invalid, parse } from "./parse.ts";
import { traceIdOf } from "./traces.ts";

const Flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((value) => value === "true");
/** `envoy`: a dry run also says what the proxies would get. */
const DryRun = z.object({ dryRun: Flag, envoy: Flag });
const WindowAt = Window.extend(At.shape);
/** Without a window: an hour, or all there is. `partial` would leave the default of other pages in. */
const OverviewQuery = z.object({ window: windowSeconds.optional() }).extend(At.shape);
/** As functions of the dashboard take it. */
const stretch = ({ window, at }: z.infer<typeof WindowAt>) => ({
  windowSec: window,
  ...(at === undefined ? {} : { at }),
});
const number = z.coerce.number().int().min(0);
/** What is left empty asks for nothing. */
const filled = z
  .string()
  .max(300)
  .optional()
  .transform((text) => text || undefined);
const ChangesQuery = z.object({
  since: number.default(0),
  until: number.optional(),
  before: number.min(1).optional(),
  author: filled,
  type: ChangeQuery.shape.type,
  object: filled,
  limit: number.min(1).max(500).default(50),
});
const StatsQuery = z.object({ filter: z.string().max(300).default("") });
const LevelRequest = z.object({ level: LogLevel.nullable() });
const MomentQuery = z.object({ revision: number.optional(), at: number.optional() });
const name = z.string().min(1).max(253);
const ObjectQuery = z.object({ kind: name.optional(), namespace: name.optional(), name: name.optional() });
const ServiceQuery = z.object({ namespace: name.optional(), name: name.optional() });
const ResourceQuery = z.object({ type: XdsTypeName.optional(), name: z.string().min(1).max(1000).optional() });
/** Left out: the whole mesh. */
const thresholdsOf = (query: ApiCall["query"]) => {
  const { namespace, name: asked } = parse(ServiceQuery, query);
  return namespace && asked ? { namespace, name: asked } : undefined;
};
/** `over`: the newest later change of the same objects that the user has seen. */
const Undo = z.object({ revision: z.number().int().min(1), over: z.number().int().min(1).optional() });
const Key = z.object({ kind: name, namespace: name.or(z.literal("")), name, resourceVersion: z.string().optional() });
/** What is written, and what is taken away, as one change. */
const Apply = z
  .object({ yaml: z.string().default(""), delete: z.array(Key).max(200).default([]) })
  .refine(({ yaml, delete: gone }) => yaml.trim() !== "" || gone.length > 0, {
    path: ["yaml"],
    error: "must have an object, unless something is deleted",
  });

/** In the namespace of the address. Which ones a write reaches besides is known where it is made: the control plane holds it to its author's roles. */
const there: RouteOptions = { need: ({ params }) => ({ role: "operator", namespace: params.namespace }) };
/** What concerns no namespace. */
const everywhere: RouteOptions = { need: { role: "operator", namespace: wholeMesh } };

/** Whom to tell by an address of theirs, and who is somebody in the mesh at all. */
const administrators: RouteOptions = { need: { role: "administrator", namespace: wholeMesh } };

/** Without what is undefined. */
const stated = <T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** What the browser asks for under `/api`. */
export function createApi(dashboard: Dashboard): ApiRoutes {
  const api = createApiRoutes();
  const service = ({ params }: ApiCall) => ({ namespace: params.namespace ?? "", name: params.name ?? "" });

  api.add("GET", "/api/status", () => dashboard.status());
  api.add("GET", "/api/telemetry", () => dashboard.telemetry());
  api.add("GET", "/api/graph", async ({ query }) => dashboard.graph(stretch(parse(WindowAt, query))));
  api.add("GET", "/api/overview", async ({ query }) => dashboard.overview(parse(OverviewQuery, query)));
  api.add("GET", "/api/metrics", () => dashboard.metricCatalog());
  api.add("GET", "/api/metrics/query", ({ query }) => dashboard.metricQuery(query));
  api.add("GET", "/api/outbound", ({ query }) => dashboard.outbound(query));
  api.add("GET", "/api/restarts", () => dashboard.restarts());
  api.add("GET", "/api/saturation", ({ query }) => dashboard.saturation(query));
  api.add("GET", "/api/logs", ({ query }) => dashboard.logs(query));
  api.add("GET", "/api/logs/live", ({ query }) => dashboard.liveLogs(query));
  api.add("GET", "/api/services", async ({ query }) => dashboard.services(stretch(parse(WindowAt, query))));
  api.add("GET", "/api/services/:namespace/:name/metrics", async (call) =>
    dashboard.serviceMetrics({ ...service(call), ...stretch(parse(WindowAt, call.query)) }),
  );
  api.add("GET", "/api/services/:namespace/:name/routing", (call) => dashboard.routing(service(call)));
  api.add(
    "PUT",
    "/api/services/:namespace/:name/routing/weights",
    async (call) => {
      const dry = parse(DryRun, call.query);
      return dashboard.setWeights(service(call), parse(WeightsChange, call.body), { ...dry, ...authorOf(call) });
    },
    there,
  );

  api.add("GET", "/api/services/:namespace/:name/objects", (call) => dashboard.serviceObjects(service(call)));
  api.add("GET", "/api/services/:namespace/:name/circuits", (call) => dashboard.circuits(service(call)));
  api.add("GET", "/api/gateways", () => dashboard.gateways());
  api.add("GET", "/api/workloads", async ({ query }) => dashboard.workloads(stretch(parse(WindowAt, query))));
  api.add("GET", "/api/workloads/:namespace/:name/metrics", async (call) =>
    dashboard.workloadMetrics({ ...service(call), ...stretch(parse(WindowAt, call.query)) }),
  );

  api.add("GET", "/api/faults", () => dashboard.faults());
  api.add("POST", "/api/faults", async (call) => {
    const dry = parse(DryRun, call.query);
    return dashboard.injectFault(parse(FaultRequest, call.body), { ...dry, ...authorOf(call) });
  });
  api.add(
    "DELETE",
    "/api/faults/:namespace/:virtualService/:id",
    (call) =>
      dashboard.stopFault(`${call.params.namespace}/${call.params.virtualService}/${call.params.id}`, authorOf(call)),
    there,
  );

  api.add("GET", "/api/retention", () => dashboard.retention());
  api.add("PUT", "/api/retention", async ({ body }) => dashboard.setRetention(parse(RetentionChange, body)), {
    ...everywhere,
    deed: "retention.set",
  });
  api.add("GET", "/api/pushes", () => dashboard.pushHistory());
  api.add("GET", "/api/loads", () => dashboard.loads());
  api.add("GET", "/api/alerts", () => dashboard.alerts());
  api.add("GET", "/api/alerts/receivers", () => dashboard.receivers());
  api.add(
    "PUT",
    "/api/alerts/receivers/:name",
    async ({ params, body }) => dashboard.putReceiver(parse(ReceiverRequest, { ...asObject(body), name: params.name })),
    { ...administrators, deed: "alert-receiver.set" },
  );
  api.add("DELETE", "/api/alerts/receivers/:name", ({ params: { name = "" } }) => dashboard.removeReceiver(name), {
    ...administrators,
    deed: "alert-receiver.delete",
  });
  api.add("POST", "/api/alerts/receivers/:name/test", ({ params: { name = "" } }) => dashboard.testReceiver(name), {
    ...administrators,
    deed: "alert-receiver.test",
  });
  api.add("GET", "/api/load-targets", () => dashboard.loadTargets());
  api.add("GET", "/api/load-tests", () => dashboard.loadTests());
  api.add(
    "POST",
    "/api/load-tests",
    async (call) => dashboard.startLoadTest(parse(LoadPlan, call.body), authorOf(call).user),
    { ...everywhere, deed: "load-test.start" },
  );
  api.add("DELETE", "/api/load-tests/running", () => dashboard.stopLoadTest(), {
    ...everywhere,
    deed: "load-test.stop",
  });
  api.add(
    "POST",
    "/api/load-tests/reports",
    async (call) => dashboard.keepLoadTest(parse(MadeLoadTest, call.body), authorOf(call).user),
    { ...everywhere, deed: "load-test.keep" },
  );
  api.add("GET", "/api/load-tests/:id", ({ params: { id = "" } }) => dashboard.loadTest(id));
  api.add("DELETE", "/api/load-tests/:id", ({ params: { id = "" } }) => dashboard.forgetLoadTest(id), {
    ...everywhere,
    deed: "load-test.delete",
  });
  api.add("GET", "/api/rate-limits", () => dashboard.rateLimits());
  api.add("GET", "/api/canaries", () => dashboard.canaries());
  api.add("POST", "/api/canaries", async (call) =>
    dashboard.startCanary(parse(CanaryRequest, call.body), { ...parse(DryRun, call.query), ...authorOf(call) }),
  );
  api.add(
    "POST",
    "/api/canaries/:namespace/:name/:action",
    async (call) => {
      const { action } = parse(z.object({ action: CanaryAction }), call.params);
      return dashboard.actOnCanary(service(call), action, { ...parse(DryRun, call.query), ...authorOf(call) });
    },
    there,
  );

  api.add("GET", "/api/pushes/:revision", async ({ params: { revision = "" } }) => {
    if (revision === "latest") return dashboard.push(revision);
    if (!/^\d{1,15}$/.test(revision)) throw invalid("A revision is a number, or `latest`.");
    return dashboard.push(Number(revision));
  });
  api.add("GET", "/api/changes", async ({ query }) => {
    const { since, until, ...filter } = parse(ChangesQuery, query);
    return dashboard.changes({ sinceMs: since, ...(until !== undefined && { untilMs: until }), ...stated(filter) });
  });
  api.add("POST", "/api/undo", async (call) => {
    const { revision, over } = parse(Undo, call.body);
    return dashboard.undo(revision, { ...parse(DryRun, call.query), over, ...authorOf(call) });
  });

  // The whole configuration as a file of YAML; `?revision=` or `?at=`: as it was.
  api.add("GET", "/api/mesh", async ({ query }) => {
    const { revision, at } = parse(MomentQuery, query);
    const moment = revision !== undefined ? { revision } : at !== undefined ? { at } : undefined;
    const mesh = await dashboard.exportMesh(moment);
    return new Download(mesh.yaml, `mesh-${mesh.revision}.yaml`, "application/yaml");
  });
  api.add(
    "POST",
    "/api/mesh/compare",
    async ({ body }) => dashboard.compareMeshes(parse(MeshComparisonRequest, body)),
    { need: { role: "viewer" } },
  );
  api.add("POST", "/api/mesh/restore", async (call) =>
    dashboard.restore(parse(RestoreRequest, call.body), { ...parse(DryRun, call.query), ...authorOf(call) }),
  );
  api.add("POST", "/api/mesh/import", async (call) =>
    dashboard.importMesh(parse(ImportRequest, call.body), { ...parse(DryRun, call.query), ...authorOf(call) }),
  );

  api.add("GET", "/api/designs", () => dashboard.designs());
  // `?download`: as a file.
  api.add("GET", "/api/designs/:name", async ({ params: { name = "" }, query }) => {
    const design = await dashboard.design(name);
    return query.download === undefined ? design : new Download(design.yaml, `${name}.yaml`, "application/yaml");
  });
  api.add(
    "PUT",
    "/api/designs/:name",
    async (call) => {
      const how = { ...parse(DryRun, call.query), ...authorOf(call) };
      return dashboard.keepDesign(call.params.name ?? "", parse(DesignRequest, call.body), how);
    },
    everywhere,
  );
  api.add(
    "DELETE",
    "/api/designs/:name",
    (call) => dashboard.removeDesign(call.params.name ?? "", authorOf(call)),
    everywhere,
  );

  // `?namespace=&name=`: of a service; else of the whole mesh.
  api.add("GET", "/api/thresholds", async ({ query }) => dashboard.thresholds(thresholdsOf(query)));
  api.add("PUT", "/api/thresholds", async (call) => {
    const { dryRun, envoy } = parse(DryRun, call.query);
    const own = parse(PartialThresholds, call.body);
    return dashboard.setThresholds(thresholdsOf(call.query), own, { dryRun, envoy, ...authorOf(call) });
  });

  // `?kind=&namespace=&name=`: one object; without a name the list, of one kind or of all.
  api.add("GET", "/api/objects", async ({ query }) => {
    const { kind, namespace, name } = parse(ObjectQuery, query);
    return kind && namespace && name ? dashboard.object({ kind, namespace, name }) : dashboard.objects(kind);
  });
  api.add("POST", "/api/apply", async (call) => {
    const dry = parse(DryRun, call.query);
    const { yaml, delete: gone } = parse(Apply, call.body);
    return dashboard.applyYaml(yaml, gone, { ...dry, ...authorOf(call) });
  });
  api.add("GET", "/api/schemas", () => dashboard.kinds());
  api.add("GET", "/api/schemas/:kind", ({ params: { kind = "" } }) => dashboard.kindSchema(kind));

  api.add("GET", "/api/traces", async ({ query }) => dashboard.traces(parse(TraceSearch, query)));
  api.add("GET", "/api/traces/operations", () => dashboard.traceOperations());
  // `?download`: as a file.
  api.add("GET", "/api/traces/:id", async ({ params: { id = "" }, query }) => {
    const trace = await dashboard.trace(traceIdOf(id));
    return query.download === undefined ? trace : new Download(trace, `trace-${trace.traceId}.json`);
  });

  api.add("GET", "/api/exemplars", ({ query }) => dashboard.exemplars(query));
  api.add("GET", "/api/latency", ({ query }) => dashboard.latency(query));
  api.add("GET", "/api/application-logs", async ({ query }) =>
    dashboard.applicationLogs(parse(ApplicationLogSearch, query)),
  );
  api.add("GET", "/api/application-logs/live", async ({ query }) =>
    dashboard.liveApplicationLogs(parse(ApplicationLogSearch, query)),
  );
  // A token is a secret, and addresses are written down: it comes in a body.
  api.add("GET", "/api/explain", async ({ query }) =>
    dashboard.explain(parse(ExplainQuery.omit({ token: true }), query)),
  );
  api.add("POST", "/api/explain", async ({ body }) => dashboard.explain(parse(ExplainQuery, body)), {
    need: { role: "viewer" },
  });

  api.add("GET", "/api/advice/policy", ({ query }) => dashboard.policyAdvice(query));
  api.add("GET", "/api/advice/scope", ({ query }) => dashboard.scopeAdvice(query));
  api.add("POST", "/api/advice/check", async ({ body }) => dashboard.checkPolicy(parse(PolicyCheckRequest, body)), {
    need: { role: "viewer" },
  });

  api.add("GET", "/api/security/mutual-tls", ({ query }) => dashboard.mutualTls(query));
  api.add("GET", "/api/security/mutual-tls/trend", ({ query }) => dashboard.mutualTlsTrend(query));
  api.add("GET", "/api/security/strict", ({ query }) => dashboard.strictPreview(query));
  api.add("GET", "/api/security/coverage", ({ query }) => dashboard.coverage(query));
  api.add("GET", "/api/security/refusals", ({ query }) => dashboard.refusals(query));
  api.add("GET", "/api/security/certificates", () => dashboard.certificateReport());
  api.add("GET", "/api/security/revocation", ({ query }) => dashboard.revocationPreview(query));
  api.add(
    "POST",
    "/api/security/certificates/revoke",
    async (call) => dashboard.revokeIdentity(parse(RevocationRequest, call.body), authorOf(call)),
    administrators,
  );
  api.add(
    "POST",
    "/api/security/certificates/restore",
    async (call) => dashboard.restoreIdentity(parse(RevocationRequest, call.body), authorOf(call)),
    administrators,
  );
  api.add("GET", "/api/security/policies", ({ query }) => dashboard.policyEffects(query));

  api.add("GET", "/api/proxies", () => dashboard.proxies());
  // Of one that is not connected, and will not be again.
  api.add(
    "DELETE",
    "/api/proxies/:id",
    (call) => dashboard.forgetProxy(call.params.id ?? "", authorOf(call)),
    everywhere,
  );
  // What one proxy was sent; with `?type=&name=` one resource of it, with its contents.
  api.add("GET", "/api/proxies/:id/config", async ({ params: { id = "" }, query }) => {
    const { type, name } = parse(ResourceQuery, query);
    return type && name ? dashboard.proxyResource(id, { type, name }) : dashboard.proxyConfig(id);
  });
  api.add("GET", "/api/proxies/:id/tables", ({ params: { id = "" } }) => dashboard.proxyTables(id));
  api.add("GET", "/api/proxies/:id/admin", ({ params: { id = "" } }) => dashboard.proxyAdmin(id));
  api.add("GET", "/api/proxies/:id/stats", async ({ params: { id = "" }, query }) =>
    dashboard.proxyStats(id, parse(StatsQuery, query).filter),
  );
  api.add(
    "PUT",
    "/api/proxies/:id/log-level",
    async ({ params: { id = "" }, body }) => dashboard.setLogLevel(id, parse(LevelRequest, body).level),
    { ...everywhere, deed: "proxy.log-level" },
  );
  api.add("GET", "/api/proxies/:id/bundle", async ({ params: { id = "" } }) =>
    archive(await dashboard.debugBundle(id)),
  );
  api.add("GET", "/api/debug-bundle", async () => archive(await dashboard.debugBundle()));
  return api;
}

const archive = ({ name, data }: { name: string; data: Buffer }) => new Download(data, name, "application/gzip");

const asObject = (body: unknown): object => (typeof body === "object" && body !== null ? body : {});
