import {
  DashboardError,
  type LogLevel,
  type ProxyAdmin,
  type ProxyStats,
  type ProxyTables,
  told,
} from "../contract/index.ts";
import { proxyTables } from "../explain/proxy-tables.ts";
import type { AdminClient } from "../fleet/admin-client.ts";
import type { HeldResources } from "../xds/csds-client.ts";

/** What a proxy's own admin interface tells, and may be told. */
export interface ProxyAdmins {
  /** Rejects with NOT_FOUND where the proxy is not connected. */
  proxyTables(id: string): Promise<ProxyTables>;
  proxyAdmin(id: string): Promise<ProxyAdmin>;
  proxyStats(id: string, filter: string): Promise<ProxyStats>;
  /** Null: as it was started. Rejects with INVALID where it can't be asked. */
  setLogLevel(id: string, level: LogLevel | null): Promise<ProxyAdmin>;
}

export interface ProxyAdminSources {
  held(id: string): Promise<HeldResources | undefined>;
  admin: AdminClient;
}

/** As many stats as one answer has. */
const mostStats = 500;

export function createProxyAdmins({ held, admin }: ProxyAdminSources): ProxyAdmins {
  /** Levels before they were first set here, by node id: a bundled sidecar tells only what is so now. */
  const before = new Map<string, string>();
  const ask = async (id: string, method: "GET" | "POST", path: string): Promise<Asked> => {
    try {
      const answer = await admin.call(id, method, path);
      if (answer === undefined) return { problem: told("admin-elsewhere", {}).message };
      if (answer.status >= 400) return { problem: answer.text.trim().slice(0, 300) };
      return { text: answer.text };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  };
  const proxyAdmin = async (id: string): Promise<ProxyAdmin> => {
    const [logging, info] = await Promise.all([ask(id, "POST", "/logging"), ask(id, "GET", "/server_info")]);
    const problem = logging.problem ?? info.problem ?? null;
    if (logging.text === undefined || info.text === undefined) return { ...nothing, problem };
    const logLevel = levelIn(logging.text);
    return { problem, logLevel, ...infoIn(info.text, before.get(id) ?? logLevel) };
  };
  return {
    async proxyTables(id) {
      const found = await held(id);
      if (!found) throw new DashboardError({ code: "NOT_FOUND", ...told("no-connected-proxy", { id }) });
      return proxyTables(id, found.resources);
    },
    proxyAdmin,
    async proxyStats(id, filter) {
      const { text, problem = null } = await ask(id, "GET", "/stats");
      if (text === undefined) return { problem, stats: [], more: 0 };
      const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
      const stats = statsIn(text).filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
      return { problem: null, stats: stats.slice(0, mostStats), more: Math.max(0, stats.length - mostStats) };
    },
    async setLogLevel(id, level) {
      const now = await proxyAdmin(id);
      const wanted = level ?? now.usualLevel;
      if (now.problem !== null || now.logLevel === null || wanted === null) {
        throw new DashboardError({ code: "INVALID", ...told("admin-silent", { id, why: now.problem ?? "" }) });
      }
      if (!before.has(id)) before.set(id, now.usualLevel ?? now.logLevel);
      const { problem } = await ask(id, "POST", `/logging?level=${encodeURIComponent(wanted)}`);
      if (problem !== undefined)
        throw new DashboardError({ code: "INVALID", ...told("admin-silent", { id, why: problem }) });
      return proxyAdmin(id);
    },
  };
}

type Asked = { text: string; problem?: undefined } | { text?: undefined; problem: string };

const nothing: Omit<ProxyAdmin, "problem"> = {
  logLevel: null,
  usualLevel: null,
  version: null,
  state: null,
  uptimeSec: null,
};

/** `active loggers:` and a line each. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#post--logging */
export function levelIn(text: string): string | null {
  const levels = new Set([...text.matchAll(/^\s+[\w.-]+: (\w+)$/gm)].map((match) => match[1] ?? ""));
  const [only] = levels;
  return levels.size > 1 ? "mixed" : (only ?? null);
}

/** An `envoy.admin.v3.ServerInfo`. Envoy's command line has the level that it was started with; ours has what is so now. */
function infoIn(text: string, before: string | null): Omit<ProxyAdmin, "problem" | "logLevel"> {
  const info = asRecord(parsed(text));
  const options = asRecord(info.command_line_options ?? info.commandLineOptions);
  const version = typeof info.version === "string" ? info.version : null;
  const started = String(options.log_level ?? options.logLevel ?? "");
  const seconds = /^(\d+)/.exec(String(info.uptime_current_epoch ?? info.uptimeCurrentEpoch ?? ""))?.[1];
  return {
    version,
    usualLevel: version?.startsWith("limpid-sidecar") || started === "" ? before : started,
    state: typeof info.state === "string" ? info.state : "LIVE", // proto JSON leaves the first value out
    uptimeSec: seconds === undefined ? null : Number(seconds),
  };
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `name: value`, as `/stats` prints them; histograms' values are long. */
export const statsIn = (text: string): ProxyStats["stats"] =>
  text.split("\n").flatMap((line) => {
    const at = line.indexOf(": ");
    return at < 0 ? [] : [{ name: line.slice(0, at), value: line.slice(at + 2).trim() }];
  });
