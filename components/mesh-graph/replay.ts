import type { Change, Graph } from "../../server/contract/index.ts";

/**
 * A moment of the past with the faults that burned then. Badges come from the config of now; what started or ended since is in the
 * changes: the first of a service after the moment tells how it was before.
 */
export function asOf(graph: Graph, changes: readonly Change[], at: number): Graph {
  const burned = new Map<string, boolean>();
  const since = changes.filter((change) => change.at > at && change.kind.startsWith("fault-"));
  for (const { kind, objects } of since.toSorted((a, b) => a.at - b.at)) {
    for (const { namespace, name } of objects) {
      const service = `${namespace}/${name}`;
      if (!burned.has(service)) burned.set(service, kind === "fault-end");
    }
  }
  if (burned.size === 0) return graph;
  const nodes = graph.nodes.map((node) => {
    const did = burned.get(`${node.namespace}/${node.app}`);
    if (did === undefined || did === node.badges.includes("fault")) return node;
    return {
      ...node,
      badges: did ? [...node.badges, "fault" as const] : node.badges.filter((badge) => badge !== "fault"),
    };
  });
  return { ...graph, nodes };
}

/** What the strip shows, in Unix milliseconds. */
export interface Span {
  from: number;
  to: number;
  stepMs: number;
}

/** A place on the strip as a full second to replay; null is live: nearer to the end than one step, but not the step before it. */
export function momentOf(ms: number, { from, to, stepMs }: Span): number | null {
  const second = Math.round(Math.max(from + stepMs, ms) / 1000) * 1000;
  return second > to - stepMs ? null : second;
}

/** Where a replay goes on a second later, which shows `speed` seconds; null: it is over. */
export function nextMoment(moment: number | null, speed: number, { from, to, stepMs }: Span): number | null {
  const next = Math.max(from + stepMs, (moment ?? from) + speed * 1000);
  return next > to - stepMs ? null : next;
}

/** Requests per second where there are records; null before the first, and in stretches of which records may be missing. */
export function knownRates(
  { requestRate, fromMs, stepSec, gaps = [] }: Graph["timeline"],
  first: number,
): (number | null)[] {
  return requestRate.map((rate, step) => {
    const from = fromMs + step * stepSec * 1000;
    const isMissing = rate === 0 && gaps.some((gap) => gap.fromMs < from + stepSec * 1000 && gap.toMs > from);
    return step < first || isMissing ? null : rate;
  });
}
