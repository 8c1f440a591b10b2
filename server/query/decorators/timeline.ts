import type { Decorator } from "../decorator.ts";
import { NodeNames } from "../nodes.ts";
import { isFailure } from "../tally.ts";
import { type TrafficEdge, trafficOf } from "../traffic.ts";

/**
 * Requests entering the mesh, per step: those of unknown clients. In a mesh without a gateway and without such, those of the nodes
 * that nobody calls.
 */
export const addTimeline: Decorator = (graph, { timeline: { window, rows, seconds }, facts }) => {
  const stepMs = window.stepSec * 1000;
  const traffic = trafficOf(rows, new NodeNames(facts), false);
  const roots = rootsOf(traffic.edges);
  const steps = Array.from({ length: Math.round((window.toMs - window.fromMs) / stepMs) }, () => ({
    count: 0,
    errors: 0,
  }));
  for (const row of rows) {
    const step = steps[Math.floor((row.atMs - window.fromMs) / stepMs)];
    if (step === undefined || !traffic.counts(row) || !roots.has(traffic.edgeOf(row)?.source.id ?? "")) continue;
    step.count += row.count;
    if (isFailure(row)) step.errors += row.count;
  }
  graph.timeline = {
    fromMs: window.fromMs,
    stepSec: window.stepSec,
    requestRate: steps.map((step) => step.count / window.stepSec),
    errorShare: steps.map((step) => (step.count === 0 ? 0 : step.errors / step.count)),
    recordedFromMs: seconds === undefined ? window.fromMs : Math.max(window.fromMs, window.toMs - seconds * 1000),
  };
};

function rootsOf(edges: readonly TrafficEdge[]): ReadonlySet<string> {
  const clients = edges.filter((edge) => edge.source.kind === "source");
  if (clients.length > 0) return new Set(clients.map((edge) => edge.source.id));
  const called = new Set(edges.map((edge) => edge.target.id));
  return new Set(edges.map((edge) => edge.source.id).filter((id) => !called.has(id)));
}
