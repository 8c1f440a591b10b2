import type { ServiceList } from "../contract/index.ts";
import { healthOf } from "./decorators/health.ts";
import type { MeshFacts } from "./facts.ts";
import { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { Tally } from "./tally.ts";
import { answeredRows } from "./traffic.ts";
import type { Window } from "./window.ts";

/** The registry's services with what is called of them; traffic to anything else is the graph's to show. */
export function buildServiceList(
  window: Window,
  rows: readonly RollupRow[],
  facts: MeshFacts,
  /** How much of the window there can be data of; default: all of it. */
  covered?: number,
): ServiceList {
  const windowSec = covered ?? (window.toMs - window.fromMs) / 1000;
  const called = new Map<string, Tally>();
  for (const row of answeredRows(rows, new NodeNames(facts))) {
    const tally = called.get(row.edge.service) ?? new Tally();
    tally.add(row);
    called.set(row.edge.service, tally);
  }
  const services = facts.services.map(({ badges: _, ...service }) => {
    const signals = (called.get(service.hostname) ?? new Tally()).signals(windowSec);
    return { ...service, health: healthOf(signals), signals };
  });
  return { at: window.toMs, windowSec, services };
}
