import type { Metrics } from "./metrics.ts";

export type PlaneCounters = ReturnType<typeof declareCounters>;

export function declareCounters(metrics: Metrics) {
  return {
    pushes: metrics.counter("limpid_xds_pushes_total", "Responses sent, by resource type."),
    resources: metrics.counter("limpid_xds_pushed_resources_total", "Resources sent or removed, by resource type."),
    nacks: metrics.counter("limpid_xds_nacks_total", "Responses that a proxy refused, by resource type."),
    affected: metrics.counter("limpid_push_proxies_total", "Proxies that a config change gave something new."),
    translateMs: metrics.counter("limpid_translate_milliseconds_total", "Time spent translating and encoding."),
    translateFailures: metrics.counter(
      "limpid_translate_failures_total",
      "Translations that failed; the proxy kept what it had.",
    ),
    lostLoads: metrics.counter("limpid_lrs_lost_series_total", "Load reports that there was no room for."),
  };
}
