import { healthOf } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";
import { NodeNames } from "../nodes.ts";
import { Tally } from "../tally.ts";
import { trafficOf } from "../traffic.ts";

/** Of fewer calls a share says nothing: one that failed of three is no outage. */
const fewestCalls = 8;
const badness = { idle: 0, healthy: 1, degraded: 2, failing: 3 };

/**
 * What failed in the last seconds of a long window. A share over a minute takes a quarter of it to be seen; only what is worse counts, so that
 * nothing is called well again before the window says so.
 */
export const addRecent: Decorator = (graph, { recent, facts }) => {
  if (recent === undefined) return;
  const { edges } = trafficOf(recent.rows, new NodeNames(facts), false);
  const into = new Map<string, Tally>();
  const byId = new Map(edges.map((edge) => [edge.id, edge.counted]));
  for (const { target, counted } of edges) {
    const tally = into.get(target.id) ?? new Tally();
    into.set(target.id, tally);
    tally.merge(counted);
  }
  const judge = (one: (typeof graph.nodes)[number] | (typeof graph.edges)[number], tally: Tally | undefined): void => {
    if (tally === undefined || tally.count < fewestCalls) return;
    const { thresholds } = one.signals;
    const signals = { ...tally.signals(recent.seconds), ...(thresholds && { thresholds }) };
    const health = healthOf(signals, { timed: false });
    if (badness[health] <= badness[one.health] || signals.errorShare <= one.signals.errorShare) return;
    one.health = health;
    const { requestRate, errorShare } = signals;
    one.recent = { windowSec: recent.seconds, requestRate, errorShare };
  };
  for (const edge of graph.edges) judge(edge, byId.get(edge.id));
  for (const node of graph.nodes) judge(node, into.get(node.id));
};
