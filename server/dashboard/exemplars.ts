import type { Exemplar, Exemplars, LatencyHeatmap, MeshService } from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";
import type { LogRow } from "../query/reader.ts";
import { isFailure } from "../query/tally.ts";
import { parseLogSearch } from "./log-query.ts";
import { resolved } from "./logs.ts";

type Asked = Readonly<Record<string, string>>;

export interface ExemplarSources {
  queries(): Promise<Pick<Queries, "logs" | "trace" | "latencyHeatmap">>;
  services(): Promise<readonly MeshService[]>;
  now(): number;
}

/** Of each kind so many are told, out of so many lines. */
const told = 5;
const looked = 1000;
/** A trace that was not kept is found out by asking for it: so many are tried. */
const tried = 30;

/** From numbers to single requests that are among them. Both take what `/api/logs` takes, and reject with INVALID as that does. */
export function createExemplars({ queries, services, now }: ExemplarSources) {
  const known = () => services().catch((): null => null);
  return {
    async exemplars(query: Asked): Promise<Exemplars> {
      const { windowSec, limit: _, ...search } = parseLogSearch(query);
      const [ready, registry] = await Promise.all([queries(), known()]);
      const toMs = search.toMs ?? now() + 1000;
      const asked = {
        ...resolved(search, registry),
        fromMs: search.fromMs ?? toMs - windowSec * 1000,
        toMs,
        limit: looked,
      };
      const [all, errors] = await Promise.all([ready.logs(asked), ready.logs({ ...asked, errorsOnly: true })]);
      const kept = async (rows: readonly LogRow[]): Promise<Exemplar[]> => {
        const once = [...new Map(rows.toReversed().map((row) => [row.traceId, row])).values()].toReversed();
        const candidates = once.filter(({ traceId }) => traceId !== "").slice(0, tried);
        const spans = await Promise.all(candidates.map(({ traceId }) => ready.trace(traceId)));
        return candidates
          .filter((_row, index) => (spans[index]?.length ?? 0) > 0)
          .slice(0, told)
          .map(exemplarOf);
      };
      const [slow, failed] = await Promise.all([
        kept(all.toSorted((a, b) => b.durationMs - a.durationMs)),
        kept(errors.filter(isFailure)),
      ]);
      return { slow, failed };
    },
    async latency(query: Asked): Promise<LatencyHeatmap> {
      const { windowSec, service, source, destination, toMs } = parseLogSearch(query);
      const [ready, registry] = await Promise.all([queries(), known()]);
      return ready.latencyHeatmap({
        ...resolved({ ...(service !== undefined && { service }) }, registry),
        ...(source && { source }),
        ...(destination && { destination }),
        ...(toMs !== undefined && { at: toMs }),
        window: windowSec,
      });
    },
  };
}

const exemplarOf = (row: LogRow): Exemplar => {
  const { traceId, atMs, durationMs, code, grpcStatus, flags, method, path, edge } = row;
  return {
    traceId,
    at: atMs,
    durationMs,
    code,
    grpcStatus: grpcStatus < 0 ? null : grpcStatus,
    flags: [...flags],
    method,
    path,
    version: edge.destination.version,
    failed: isFailure(row),
  };
};
