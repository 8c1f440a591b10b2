import type { CollectorHealth } from "./health.ts";
import type { Endpoints, HttpAnswer } from "./http-server.ts";

export const prometheusText = "text/plain; version=0.0.4; charset=utf-8";

/** What the collector tells of itself: alive (`/livez`), able to write (`/healthz`, `/readyz`), and its counters. */
export function ownEndpoints(health: () => Promise<CollectorHealth>, metrics: () => string): Endpoints {
  const ready = async (): Promise<HttpAnswer> => {
    const state = await health();
    return { status: state.ok ? 200 : 503, type: "application/json", body: `${JSON.stringify(state)}\n` };
  };
  return {
    "/metrics": { GET: () => ({ type: prometheusText, body: metrics() }) },
    "/healthz": { GET: ready },
    "/readyz": { GET: ready },
    "/livez": { GET: () => ({ type: "text/plain", body: "ok\n" }) },
  };
}
