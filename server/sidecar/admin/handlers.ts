import { create, toJson } from "@bufbuild/protobuf";
import {
  type ServerInfo_State,
  ServerInfoSchema,
  ServerInfo_State as State,
} from "../../gen/proto/envoy/admin/v3/server_info_pb.js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { re2 } from "../../lib/re2.ts";
import type { IstioMetrics } from "../access-log/istio-metrics.ts";
import { renderPrometheus } from "../prometheus.ts";
import type { Runtime, RuntimeValue } from "../runtime.ts";
import type { Stats } from "../stats.ts";
import type { ConfigState } from "../xds/config-state.ts";
import type { ServerState } from "../xds/initialization.ts";
import { certsJson } from "./certs.ts";
import { clustersJson, clustersText } from "./clusters.ts";
import { configDump } from "./config-dump.ts";
import { modifyRuntime, runtimeReply } from "./runtime-page.ts";
import { type StatsQuery, statsJson, statsText } from "./stats-page.ts";
import type { CertsView, ClusterView, ListenerView } from "./views.ts";

/** What a proxy of several processes has in each of them. */
export interface GatheredSources {
  stats(): Stats;
  istio(): IstioMetrics;
  clusters(): readonly ClusterView[];
  listeners(): readonly ListenerView[];
  /** Brings up to date what nobody keeps while nobody looks. */
  refreshStats(): void;
  /** Fetches what other processes have counted and hold; absent: there are none. */
  gather?(): Promise<void>;
}

/** All that the admin pages read and do. */
export interface AdminSources extends GatheredSources {
  node: Node;
  config: ConfigState;
  version: string;
  /** Shown in /server_info under command_line_options. */
  options: { configPath: string; concurrency: number };
  /** Of every TLS context in force. */
  certs(): readonly CertsView[];
  resetCounters(): void;
  state(): ServerState;
  logLevel: { get(): string; set(level: string): boolean };
  /** Stops accepting; requests in flight go on. */
  drainListeners(): void;
  /** Says "not ready" from now on, or no longer, whatever the state is. */
  failHealthChecks(fail: boolean): void;
  /** `adminLayer`: which of its layers operators may change; undefined: none. */
  runtime: {
    values: Runtime;
    adminLayer: string | undefined;
    modified?(layer: string, values: ReadonlyMap<string, RuntimeValue>): void;
  };
  /** Goes on with log files that have the paths by now. */
  reopenLogs(): void;
  quit(): void;
}

export interface Reply {
  status?: number;
  json?: boolean;
  body: string;
}

export interface Handler {
  help: string;
  /** Changes something: POST only. */
  mutates?: true;
  /** Shows what all processes of the proxy have counted or hold. */
  gathers?: true;
  reply(sources: AdminSources, query: URLSearchParams): Reply;
}

/** Path → handler. https://www.envoyproxy.io/docs/envoy/latest/operations/admin */
export const handlers: Readonly<Record<string, Handler>> = {
  "/": { help: "Admin home page", reply: () => ({ body: helpText("") }) },
  "/certs": { help: "print certs on machine", reply: (sources) => ({ json: true, body: certsJson(sources.certs()) }) },
  "/clusters": {
    help: "upstream cluster status (?format=json)",
    gathers: true,
    reply: ({ clusters }, query) =>
      query.get("format") === "json"
        ? { json: true, body: clustersJson(clusters()) }
        : { body: clustersText(clusters()) },
  },
  "/config_dump": {
    help: "dump current configs (?resource=, ?mask=, ?name_regex=, ?include_eds)",
    reply: dumpReply,
  },
  "/drain_listeners": {
    help: "drain listeners",
    mutates: true,
    reply(sources, query) {
      if (query.has("inboundonly")) return { status: 400, body: "inboundonly is not supported\n" };
      sources.drainListeners();
      return { body: "OK\n" };
    },
  },
  "/healthcheck/fail": { help: "cause the server to fail health checks", mutates: true, reply: healthReply(true) },
  "/healthcheck/ok": { help: "cause the server to pass health checks", mutates: true, reply: healthReply(false) },
  "/help": { help: "print out list of admin commands", reply: () => ({ body: helpText("admin commands are:\n") }) },
  "/hot_restart_version": { help: "print the hot restart compatibility version", reply: () => ({ body: "disabled" }) },
  "/init_dump": { help: "targets that are not initialized yet", reply: () => ({ json: true, body: "{}\n" }) },
  "/listeners": { help: "print listener info (?format=json)", gathers: true, reply: listenersReply },
  "/logging": { help: "query or change the log level (?level=)", mutates: true, reply: loggingReply },
  "/memory": {
    help: "print current allocation and heap usage",
    gathers: true,
    reply: (sources) => ({ json: true, body: memory(sources) }),
  },
  "/quitquitquit": {
    help: "exit the server",
    mutates: true,
    reply(sources) {
      setImmediate(() => sources.quit());
      return { body: "OK\n" };
    },
  },
  "/ready": {
    help: "print server state, return 200 if LIVE, otherwise return 503",
    reply: ({ state }) => ({ status: state() === "LIVE" ? 200 : 503, body: `${state()}\n` }),
  },
  "/reopen_logs": {
    help: "reopen access logs",
    mutates: true,
    reply(sources) {
      sources.reopenLogs();
      return { body: "OK\n" };
    },
  },
  "/reset_counters": {
    help: "reset all counters to zero",
    mutates: true,
    reply(sources) {
      sources.resetCounters();
      return { body: "OK\n" };
    },
  },
  "/runtime": { help: "print runtime values", reply: ({ runtime }) => runtimeReply(runtime.values) },
  "/runtime_modify": {
    help: "add or modify runtime values (?key1=value1&key2=value2), an empty value takes one away",
    mutates: true,
    reply: ({ runtime }, query) => modifyRuntime(runtime, query),
  },
  "/server_info": { help: "print server version/status information", reply: serverInfo },
  "/stats": {
    help: "print server stats (?filter=, ?usedonly, ?type=, ?format=json|prometheus)",
    gathers: true,
    reply: statsReply,
  },
  "/stats/prometheus": {
    help: "print server stats in prometheus format (?filter=, ?usedonly)",
    gathers: true,
    reply: (sources, query) => prometheusReply(sources, query),
  },
};

export function helpText(head: string): string {
  return (
    head +
    Object.entries(handlers)
      .map(([path, { help, mutates }]) => `  ${path}${mutates ? " (POST)" : ""}: ${help}\n`)
      .join("")
  );
}

function healthReply(fail: boolean): Handler["reply"] {
  return (sources) => {
    sources.failHealthChecks(fail);
    return { body: "OK\n" };
  };
}

function dumpReply({ config }: AdminSources, query: URLSearchParams): Reply {
  const resource = query.get("resource") ?? undefined;
  const dump = configDump(config, {
    includeEds: query.has("include_eds") || resource?.includes("endpoint_configs") === true,
    resource,
    mask: query.get("mask") ?? undefined,
    nameRegex: query.get("name_regex") ?? undefined,
  });
  if (dump.ok) return { json: true, body: `${dump.value}\n` };
  const message = dump.errors.join("; ");
  return { status: message.endsWith("not found in config dump") ? 404 : 400, body: `${message}\n` };
}

function listenersReply({ listeners }: AdminSources, query: URLSearchParams): Reply {
  if (query.get("format") !== "json") {
    const line = ({ name, address, port }: ListenerView) =>
      `${name}::${address.includes(":") ? `[${address}]` : address}:${port}\n`;
    return { body: listeners().map(line).join("") };
  }
  const statuses = listeners().map(({ name, address, port }) => ({
    name,
    local_address: { socket_address: { address, port_value: port } },
  }));
  return { json: true, body: `${JSON.stringify({ listener_statuses: statuses }, null, 1)}\n` };
}

const logLevels = ["trace", "debug", "info", "warning", "error", "critical", "off"];

function loggingReply({ logLevel }: AdminSources, query: URLSearchParams): Reply {
  const level = query.get("level");
  if (level !== null && !(logLevels.includes(level) && logLevel.set(level))) {
    return { status: 400, body: `error: unknown logger level\nlevels: ${logLevels.join(" ")}\n` };
  }
  return { body: `active loggers:\n  sidecar: ${logLevel.get()}\n\n` };
}

/** An `envoy.admin.v3.Memory`, its 64-bit numbers as text. */
function memory(sources: AdminSources): string {
  sources.refreshStats();
  const of = (name: string) => sources.stats().gauge(`server.memory_${name}`).value;
  const bytes = {
    allocated: of("allocated"),
    heap_size: of("heap_size"),
    pageheap_unmapped: 0,
    pageheap_free: Math.max(0, of("heap_size") - of("allocated")),
    total_thread_cache: 0,
    total_physical_bytes: of("physical_size"),
  };
  const text = Object.fromEntries(Object.entries(bytes).map(([key, value]) => [key, String(value)]));
  return `${JSON.stringify(text, null, 1)}\n`;
}

function serverInfo(sources: AdminSources): Reply {
  const seconds = { seconds: BigInt(Math.floor(process.uptime())), nanos: 0 };
  const info = create(ServerInfoSchema, {
    version: `limpid-sidecar/${sources.version}/Node.js ${process.version}`,
    state: State[sources.state()] satisfies ServerInfo_State,
    uptimeCurrentEpoch: seconds,
    uptimeAllEpochs: seconds,
    hotRestartVersion: "disabled",
    commandLineOptions: { ...sources.options, logLevel: sources.logLevel.get() },
    node: sources.node,
  });
  return {
    json: true,
    body: `${JSON.stringify(toJson(ServerInfoSchema, info, { useProtoFieldName: true, alwaysEmitImplicit: true }), null, 1)}\n`,
  };
}

function statsReply(sources: AdminSources, query: URLSearchParams): Reply {
  sources.refreshStats();
  const format = query.get("format") ?? "text";
  if (format === "prometheus") return prometheusReply(sources, query);
  const filter = filterOf(query);
  if (typeof filter === "string") return { status: 400, body: filter };
  const type = query.get("type") ?? "All";
  if (!isType(type)) return { status: 400, body: "invalid &type= param\n" };
  const statsQuery = { usedOnly: query.has("usedonly"), filter, type };
  if (format === "text") return { body: statsText(sources.stats(), statsQuery) };
  if (format === "json") return { json: true, body: statsJson(sources.stats(), statsQuery) };
  return { status: 400, body: "usage: /stats?format=json|prometheus|text\n" };
}

function prometheusReply({ stats, istio, refreshStats }: AdminSources, query: URLSearchParams): Reply {
  refreshStats();
  const filter = filterOf(query);
  if (typeof filter === "string") return { status: 400, body: filter };
  const own = renderPrometheus(stats(), { usedOnly: query.has("usedonly"), filter });
  return { body: query.has("filter") ? own : own + istio().render() };
}

const isType = (type: string): type is StatsQuery["type"] => ["All", "Counters", "Gauges", "Histograms"].includes(type);

function filterOf(query: URLSearchParams): ((name: string) => boolean) | string {
  const pattern = query.get("filter");
  if (pattern === null) return () => true;
  try {
    const regex = re2().compile(pattern);
    return (name) => regex.matcher(name).find();
  } catch {
    return `Invalid re2 regex: ${pattern}\n`;
  }
}
