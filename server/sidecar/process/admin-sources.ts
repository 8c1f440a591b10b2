import { certsViews } from "../admin/data-plane-views.ts";
import type { AdminSources, GatheredSources } from "../admin/handlers.ts";
import { refreshServerStats } from "../server-stats.ts";
import { ownClusters, resetCounters } from "./counts.ts";
import type { Parts } from "./parts.ts";

/** All that the admin's pages read and do. */
export function adminSources(parts: Parts, life: Pick<AdminSources, "reopenLogs" | "quit">): AdminSources {
  const { options, config, state, channels, plane, fleet, readiness, runtime, layers } = parts;
  const { configPath, drainTimeMs, logLevel, version, workers } = options;
  return {
    node: config.node,
    config: state,
    version,
    options: { configPath, concurrency: workers?.count ?? 1 },
    certs: () => certsViews([...channels.tlsContexts(), ...plane.tlsContexts()]),
    state: () => readiness.state,
    logLevel: fleet === undefined ? logLevel : fleet.logLevel(logLevel),
    drainListeners: () => {
      if (fleet === undefined) void plane.drain(drainTimeMs);
      else fleet.tell({ kind: "drain listeners" });
    },
    failHealthChecks: (fail) => {
      readiness.healthFails = fail;
      fleet?.establish("health checks", { kind: "health checks", fail });
    },
    runtime: {
      values: runtime,
      adminLayer: layers.admin,
      modified: (name, values) => fleet?.establish(`runtime ${name}`, { kind: "runtime", name, values }),
    },
    resetCounters: () => resetCounters(parts),
    ...life,
    ...gatheredSources(parts),
  };
}

/** What the admin shows of this process, or of all that serve. */
export function gatheredSources(parts: Parts): GatheredSources {
  const { options, stats, telemetry, plane, fleet, readiness } = parts;
  const refreshStats = () => refreshServerStats(stats, plane, readiness.state, options.workers?.count);
  if (fleet !== undefined) return fleet.sources(refreshStats);
  return {
    stats: () => stats,
    istio: () => telemetry.istio,
    clusters: () => ownClusters(parts),
    listeners: () => plane.boundListeners(),
    refreshStats,
  };
}
