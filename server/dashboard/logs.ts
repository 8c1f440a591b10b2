import {
  findService,
  type LogEntry,
  type LogEvents,
  type LogPage,
  type LogPeer,
  type MeshService,
  type ServiceLink,
  serviceLink,
  told,
} from "../contract/index.ts";
import { configRuleOf } from "../explain/origins.ts";
import type { Queries } from "../query/queries.ts";
import type { LogFilter, LogRow, PeerRow } from "../query/reader.ts";
import { EventStream } from "./event-stream.ts";
import { parseLogFilter, parseLogSearch } from "./log-query.ts";
import { invalid } from "./parse.ts";

export interface Logs {
  /** `query` as it stands in an address: see `LogPage`. Rejects with INVALID, which names what is wrong. */
  logs(query: Readonly<Record<string, string>>): Promise<LogPage>;
  /** What is written from now on. */
  liveLogs(query: Readonly<Record<string, string>>): Promise<EventStream<LogEvents>>;
}

export interface LogSources {
  queries(): Promise<Pick<Queries, "logs" | "followLogs">>;
  /** The registry; while it can't be asked, lines have no links. */
  services(): Promise<readonly MeshService[]>;
  now(): number;
}

/** As `followLogs` has it. */
const mostAtOnce = 500;

export function createLogs({ queries, services, now }: LogSources): Logs {
  const known = () => services().catch((): null => null);
  return {
    async logs(query) {
      const { windowSec, ...search } = parseLogSearch(query);
      const [ready, registry] = await Promise.all([queries(), known()]);
      const toMs = search.toMs ?? now() + 1000;
      const fromMs = search.fromMs ?? toMs - windowSec * 1000;
      // One more than is shown tells whether there are more.
      const rows = await ready.logs({ ...resolved(search, registry), fromMs, toMs, limit: search.limit + 1 });
      const shown = rows.slice(0, search.limit);
      const last = rows.length > search.limit ? shown.at(-1) : undefined;
      return { at: now(), entries: shown.map(entryOf(registry ?? [])), next: last ? `${last.atMs}-${last.id}` : null };
    },
    async liveLogs(query) {
      const filter = parseLogFilter(query);
      const [ready, registry] = await Promise.all([queries(), known()]);
      const asked = resolved(filter, registry);
      return new EventStream(async function* (signal) {
        for await (const rows of ready.followLogs(asked, signal)) {
          const entries = rows.map(entryOf((await known()) ?? [])).reverse();
          yield { entries, leftOut: rows.length >= mostAtOnce };
        }
      });
    },
  };
}

/** A service by its hostname, `<namespace>/<name>` or, where only one is called so, its name. */
export function resolved<F extends Pick<LogFilter, "service">>(filter: F, registry: readonly MeshService[] | null): F {
  const { service } = filter;
  if (service === undefined || registry === null || registry.some(({ hostname }) => hostname === service))
    return filter;
  const [namespace, name] = service.includes("/") ? service.split("/", 2) : [undefined, service];
  const found =
    namespace !== undefined && name !== undefined
      ? findService(registry, namespace, name)
      : registry.find((one) => one.name === service);
  if (found) return { ...filter, service: found.hostname };
  // A service that was removed has lines all the same.
  if (service.includes(".")) return filter;
  const known = registry.map((one) => one.name).slice(0, 20);
  const said = told("asked-service", { service, known: known.join(", ") || "none" });
  throw invalid(`service: ${said.message}`, [{ path: "service", ...said }]);
}

const entryOf = (registry: readonly MeshService[]) => {
  const byHost = (host: string): ServiceLink | null => {
    const found = registry.find(({ hostname }) => hostname === host);
    return found ? serviceLink(found) : null;
  };
  const peer = ({ workload, namespace, app, version }: PeerRow): LogPeer => {
    const found = app === "" ? undefined : findService(registry, namespace, app);
    return { workload, namespace, app, version, service: found ? serviceLink(found) : null };
  };
  return ({ atMs, edge, grpcStatus, flags, config, ...row }: LogRow): LogEntry => ({
    ...row,
    at: atMs,
    source: peer(edge.source),
    destination: peer(edge.destination),
    service: edge.service,
    serviceLink: byHost(edge.service),
    protocol: edge.protocol,
    mtls: edge.reporter === "source" ? null : edge.mtls,
    grpcStatus: grpcStatus < 0 ? null : grpcStatus,
    flags: [...flags],
    config: configRuleOf(config),
  });
};
