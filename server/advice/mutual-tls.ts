import type { CallerCalls, WorkloadSecurity, WorkloadView } from "../contract/index.ts";
import type { LogRow, RollupSum } from "../query/reader.ts";
import { portOf } from "./recorded-call.ts";
import { type AdvisedWorkload, proxyIdentityOf } from "./workload-proxy.ts";

export interface MutualTlsInput {
  workloads: readonly WorkloadView[];
  /** The same with their proxies. */
  advised: readonly AdvisedWorkload[];
  /** Of every call, as its destination told it. */
  sums: readonly RollupSum[];
  /** Lines of calls to workloads that have several ports. */
  rows: readonly LogRow[];
  /** Connections that no filter chain took, by `<address>:<port>`. */
  turnedAway: ReadonlyMap<string, number>;
}

/** How each workload was called and what its ports take; those where plain text comes in first. */
export function mutualTlsByWorkload({
  workloads,
  advised,
  sums,
  rows,
  turnedAway,
}: MutualTlsInput): WorkloadSecurity[] {
  const calls = Map.groupBy(sums, ({ edge: { destination } }) => `${destination.namespace}/${destination.workload}`);
  const lines = Map.groupBy(rows, ({ edge: { destination } }) => `${destination.namespace}/${destination.workload}`);
  const own = new Map(advised.map((it) => [`${it.namespace}/${it.name}`, it]));
  return workloads
    .map(({ namespace, name, app, version, mtls, endpoints }): WorkloadSecurity => {
      const key = `${namespace}/${name}`;
      const all = calls.get(key) ?? [];
      const [plain, mutual] = [all.filter(({ edge }) => !edge.mtls), all.filter(({ edge }) => edge.mtls)];
      const told = { plain: countOf(plain), mutual: countOf(mutual) };
      return {
        ...{ namespace, name, app, version, ...told },
        proxy: proxyIdentityOf(own.get(key)),
        ports: mtls.map((port) => ({ ...port, ...(mtls.length === 1 ? told : toPort(lines.get(key), port.port)) })),
        plainCallers: callersOf(plain),
        turnedAway: turnedAwayFrom({ mtls, endpoints }, turnedAway),
      };
    })
    .sort((a, b) => gravity(b) - gravity(a) || b.plain - a.plain || b.mutual - a.mutual);
}

/** Connections that its STRICT ports had no filter chain for, of which `counts` has those of each `<address>:<port>`. */
export const turnedAwayFrom = (
  { mtls, endpoints }: Pick<WorkloadView, "mtls" | "endpoints">,
  counts: ReadonlyMap<string, number>,
): number =>
  endpoints
    .filter(({ port }) => mtls.some((it) => it.port === port && it.mode === "STRICT"))
    .reduce((sum, { address, port }) => sum + (counts.get(`${address}:${port}`) ?? 0), 0);

/** What STRICT turns away wants a look first, then plain text, then what would let it in. */
const gravity = ({ turnedAway, plain, ports, proxy }: WorkloadSecurity): number => {
  if (turnedAway > 0) return 3;
  if (plain > 0) return 2;
  return proxy === "certified" && ports.every(({ mode }) => mode === "STRICT") ? 0 : 1;
};

const countOf = (sums: readonly RollupSum[]): number => sums.reduce((sum, { count }) => sum + count, 0);

const callersOf = (sums: readonly RollupSum[]): CallerCalls[] =>
  [...Map.groupBy(sums, ({ edge: { source } }) => callerOf(source))]
    .map(([caller, own]) => ({ caller, calls: countOf(own) }))
    .sort((a, b) => b.calls - a.calls);

/** `<namespace>/<workload>`; empty: nobody knows. */
export const callerOf = ({ namespace, workload }: { namespace: string; workload: string }): string =>
  workload === "" ? "" : `${namespace}/${workload}`;

function toPort(rows: readonly LogRow[] = [], port: number): { plain: number; mutual: number } {
  const there = rows.filter((row) => portOf(row) === port);
  const mutual = there.filter(({ edge }) => edge.mtls).length;
  return { plain: there.length - mutual, mutual };
}
