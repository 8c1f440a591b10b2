import { z } from "zod";
import type { CanaryFigures, CanaryObserved } from "../../contract/index.ts";
import { Signals } from "../../contract/index.ts";
import { createHttpClient } from "../../lib/http-client.ts";

export interface SignalsQuery {
  service: { namespace: string; name: string };
  from: string;
  to: string;
  windowSec: number;
}

/** What both versions did in the last seconds, as their callers saw it. Rejects with a reason for people when nobody can tell. */
export type ReadSignals = (query: SignalsQuery) => Promise<CanaryObserved>;

/** What is read of the dashboard's `ServiceMetrics`. */
const Measured = z.object({
  at: z.number(),
  fromMs: z.number(),
  dataFromMs: z.number(),
  totals: z.record(z.string(), Signals),
});

const maxWindowSec = 86_400;

/**
 * Asks the dashboard, whose numbers people see beside the canary, and where a request that two proxies tell of counts once
 * (docs/decisions/0028-canaries-ask-the-dashboard.md). `token`: by which the dashboard knows who asks.
 */
export function dashboardSignals(
  baseUrl: string,
  token: () => string | undefined = () => undefined,
  timeoutMs = 5_000,
): ReadSignals {
  const client = createHttpClient(baseUrl, timeoutMs);
  return async ({ service, from, to, windowSec }) => {
    const window = Math.min(maxWindowSec, Math.max(1, Math.round(windowSec)));
    const path = `/api/services/${encodeURIComponent(service.namespace)}/${encodeURIComponent(service.name)}/metrics`;
    const known = token();
    const headers: Record<string, string> = known === undefined ? {} : { authorization: `Bearer ${known}` };
    const { status, text } = await client.call("GET", `${path}?window=${window}`, { headers });
    if (status !== 200) throw new Error(`the dashboard at ${baseUrl} answered ${status}`);
    const { at, dataFromMs, totals } = Measured.parse(JSON.parse(text));
    const seconds = Math.max(1, (at - dataFromMs) / 1000);
    return { at, windowSec: window, from: figuresOf(totals[from], seconds), to: figuresOf(totals[to], seconds) };
  };
}

function figuresOf(signals: Signals | undefined, seconds: number): CanaryFigures {
  const requests = Math.round((signals?.requestRate ?? 0) * seconds);
  if (signals === undefined || requests === 0) return { requests: 0, successRate: null, latencyMsP95: null };
  const successRate = Math.round((1 - signals.errorShare) * 100_000) / 1000;
  return { requests, successRate, latencyMsP95: signals.latencyMsP95 };
}
