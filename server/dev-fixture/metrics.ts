import type { Graph, Series, ServiceMetrics, Signals } from "../contract/index.ts";
import type { State } from "./dashboard.ts";
import { bookinfoGraph, signalsOf } from "./graph.ts";

export function metricsOf(
  graph: Graph,
  namespace: string,
  name: string,
  windowSec: number,
  state: State,
): ServiceMetrics | null {
  const nodes = graph.nodes.filter((node) => node.app === name);
  if (nodes.length === 0) return null;
  const stepSec = Math.max(1, Math.round(windowSec / 60));
  const steps = Math.floor(windowSec / stepSec);
  const fromMs = Math.floor(graph.at / 1000 / stepSec) * stepSec * 1000 - steps * stepSec * 1000;
  const past = Array.from({ length: steps }, (_, i) => bookinfoGraph(state, fromMs + i * stepSec * 1000, 60));
  const at = (step: Graph, version: string): Signals => {
    const mine = step.nodes.filter((node) => node.app === name && (version === "all" || node.version === version));
    const rate = mine.reduce((sum, node) => sum + node.signals.requestRate, 0);
    const errors = mine.reduce((sum, node) => sum + node.signals.requestRate * node.signals.errorShare, 0);
    const weighted = mine.reduce((sum, node) => sum + node.signals.requestRate * (node.signals.latencyMsP95 ?? 0), 0);
    return signalsOf(rate, rate ? errors / rate : 0, rate ? weighted / rate : 0);
  };
  const versions = ["all", ...nodes.flatMap((node) => (node.version ? [node.version] : []))];
  const series = versions.map((version): Series => {
    const column = past.map((step) => at(step, version));
    return {
      version,
      requestRate: column.map((signals) => signals.requestRate),
      errorShare: column.map((signals) => signals.errorShare),
      latencyMsP50: column.map((signals) => signals.latencyMsP50),
      latencyMsP90: column.map((signals) => signals.latencyMsP90),
      latencyMsP95: column.map((signals) => signals.latencyMsP95),
      latencyMsP99: column.map((signals) => signals.latencyMsP99),
    };
  });
  const total = at(graph, "all").requestRate || 1;
  return {
    at: graph.at,
    windowSec,
    stepSec,
    fromMs,
    series,
    totals: Object.fromEntries(versions.map((version) => [version, at(graph, version)])),
    observedShares: Object.fromEntries(
      versions
        .filter((version) => version !== "all")
        .map((version) => [version, at(graph, version).requestRate / total]),
    ),
    callers: graph.edges
      .filter((edge) => nodes.some((node) => node.id === edge.target))
      .reduce<ServiceMetrics["callers"]>((callers, edge) => {
        const [, app = "", version = null] = edge.source.split("/");
        const known = callers.find((caller) => caller.app === app && caller.version === version);
        if (known) known.signals.requestRate += edge.signals.requestRate;
        else callers.push({ app, namespace, version: version === "-" ? null : version, signals: { ...edge.signals } });
        return callers;
      }, []),
  };
}
