import type { ConfigRule, LogFilterName } from "../../server/contract/index.ts";
import { longestWindowSec } from "../ui/time-range.ts";

/** Every address of the dashboard in one place, so that a page that moves is found by its links. */
export const overviewHref = "/overview";
export const topologyHref = "/topology";
export const servicesHref = "/services";
export const faultsHref = "/faults";
export const proxiesHref = "/proxies";
export const alertsHref = "/alerts";
export const newAlertRuleHref = "/config/new?begin=alert";
export const loadHref = "/load";
export const logsHref = "/logs";
export const configHref = "/config";
export const usersHref = "/users";
export const auditHref = "/audit";
export const historyHref = "/history";

export const designsHref = "/designs";
/** Beside what is in force. */
export const designHref = (name: string): string => `${designsHref}?from=now&to=${encodeURIComponent(`d:${name}`)}`;

/** Two moments of the mesh beside each other; `now`, `r<revision>` or `t<unix ms>`. */
export const compareHref = (from: string, to: string): string => `${historyHref}?from=${from}&to=${to}#compare`;

export const gatewaysHref = "/gateways";
export const workloadsHref = "/workloads";

export const workloadHref = (namespace: string, name: string): string =>
  `${workloadsHref}?workload=${encodeURIComponent(`${namespace}/${name}`)}`;

export const settingsHref = "/settings";

export const metricsHref = "/metrics";

/** The explorer with one metric chosen; of one service, or of one instance. */
export const metricHref = (name: string, of: { service?: string; instance?: string; by?: string } = {}): string =>
  `${metricsHref}?${new URLSearchParams({ metric: name, ...of })}`;

export const tracesHref = "/traces";

export const traceHref = (id: string): string => `${tracesHref}/${encodeURIComponent(id)}`;

/** Traces with a span of this service, named as proxies name it: those that failed, or the slowest first. */
export const tracesOfHref = (
  { app, namespace }: { app: string; namespace: string },
  which: "slow" | "failed",
): string =>
  `${tracesHref}?service=${encodeURIComponent(`${app}.${namespace}`)}${which === "failed" ? "&errors=true" : "&sort=-duration"}`;

/** However long ago it was. */
const ever = { window: String(longestWindowSec) };

/** The access logs of one trace. */
export const traceLogsHref = (id: string): string => logsOfHref({ trace: id, ...ever });

/** What each proxy told of one request. */
export const requestLogsHref = (id: string): string => logsOfHref({ request: id, ...ever });

/** What a service is found by: a name alone may be that of several. */
export interface ServiceId {
  namespace: string;
  hostname: string;
}

export const serviceHref = (
  { namespace, hostname }: ServiceId,
  tab?: "traffic" | "metrics" | "endpoints" | "config",
): string => `/services/${encodeURIComponent(namespace)}/${encodeURIComponent(hostname)}${tab ? `?tab=${tab}` : ""}`;

/** Where a service's canary is promoted, with the focus there. */
export const promoteHref = (service: ServiceId): string => `${serviceHref(service, "traffic")}&canary=promote`;

/** The graph with what is in trouble lit. */
export const troubleOnGraphHref = `${topologyHref}?find=${encodeURIComponent("failing or degraded")}`;

/** The fault form, filled in for one service; `from`, `<namespace>/<app>[/<version>]`, limits it to one caller. */
export const injectFaultHref = ({ namespace, hostname }: ServiceId, from?: string): string =>
  `/faults?new=${encodeURIComponent(`${namespace}/${hostname}`)}${from ? `&from=${encodeURIComponent(from)}` : ""}`;

/** A trace drawn over the graph of its time: `at`, Unix milliseconds, ends the window; left out where that is now. */
export const traceOnGraphHref = (id: string, at?: number): string =>
  `${topologyHref}?trace=${encodeURIComponent(id)}${at === undefined ? "" : `&at=${at}`}`;

/** A service's nodes on the graph. */
export const serviceOnGraphHref = ({ namespace, hostname }: ServiceId): string =>
  `${topologyHref}?select=${encodeURIComponent(`${namespace}/${hostname}`)}`;

/** One node of the graph. */
export const nodeOnGraphHref = (id: string): string => `${topologyHref}?select=${encodeURIComponent(id)}`;

/** Requests, by the parameters of the form that searches them; what is undefined asks for nothing. */
export const logsOfHref = (
  filter: Partial<Record<LogFilterName | "window" | "from" | "to", string | undefined>>,
): string => {
  const asked = Object.entries(filter).flatMap(([name, value]) =>
    value ? [`${name}=${encodeURIComponent(value)}`] : [],
  );
  return asked.length > 0 ? `${logsHref}?${asked.join("&")}` : logsHref;
};

/** What applications wrote. */
export const applicationLinesHref = (filter: { trace?: string; service?: string } = {}): string =>
  `${logsHref}?${new URLSearchParams({ show: "applications", ...filter, ...(filter.trace && ever) })}`;

export const logTraceHref = (traceId: string): string => `/traces/${encodeURIComponent(traceId)}`;

export const proxyHref = (id: string): string => `/proxies?proxy=${encodeURIComponent(id)}`;

/** What a proxy tells of itself over time. */
export const proxyMetricsHref = (id: string): string => `${proxyHref(id)}&show=metrics`;

/** Proxies that are not in sync. */
export const outOfSyncHref = "/proxies?sync=out";

/** One resource in a proxy's config dump. */
export const proxyResourceHref = (id: string, type: string, resource: string): string =>
  `${proxyHref(id)}&resource=${encodeURIComponent(`${type}:${resource}`)}`;

/** One part of what a proxy holds, as rows, found by text. */
export const proxyTableHref = (
  id: string,
  table: "listeners" | "routes" | "clusters" | "endpoints",
  find: string,
): string => `${proxyHref(id)}&table=${table}&find=${encodeURIComponent(find)}`;

/** What is proposed from the traffic of a workload, or of an application. */
export const proposeHref = (namespace: string, workload: string): string =>
  `/security/propose?${new URLSearchParams({ namespace, workload })}`;

/** Tabs of the security page. */
export const securityHref = "/security";
export const certificatesHref = `${securityHref}?tab=certificates`;
export const refusalsHref = `${securityHref}?tab=refusals`;

export const newObjectHref = "/config/new";

/** The PeerAuthentication that makes what is named STRICT, to be looked at and applied; without a namespace, the mesh. */
export const newStrictHref = (target: Readonly<Record<string, string>>): string =>
  `${newObjectHref}?${new URLSearchParams({ begin: "strict", ...target })}`;

/** What happens to a request; without one, the form to ask. */
export const explainHref = (request?: ExplainedRequest): string =>
  request ? `/explain?${new URLSearchParams({ ...request })}` : "/explain";

/** Who calls what, as the page's address has it. */
export interface ExplainedRequest {
  /** A node id, or `<namespace>/<workload>`. */
  from: string;
  url: string;
  method?: string;
}

/** One rule of an object: `http[1].match[0]`, below `spec`; the page finds its line. */
export const ruleHref = ({ kind, namespace, name, rule }: ConfigRule): string =>
  `${objectHref(kind, namespace, name)}${rule === "" ? "" : `?rule=${encodeURIComponent(rule)}`}`;

/** One object of the config, with one of its YAML's lines marked; `-` stands for no namespace. */
export const objectHref = (kind: string, namespace: string, name: string, line?: number): string =>
  `/config/${[kind, namespace || "-", name].map(encodeURIComponent).join("/")}${line === undefined ? "" : `?line=${line}`}`;
