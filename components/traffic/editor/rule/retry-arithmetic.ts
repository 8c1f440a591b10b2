import { parseGoDuration } from "../../../../server/wire/go-duration.ts";

export interface RetryArithmetic {
  /** The first try and its retries. */
  tries: number;
  /** Of one try; null: nothing bounds it. */
  perTryMs: number | null;
  /** All waits between tries, at their longest. */
  backoffMs: number;
  /** All tries that take as long as they may, and the waits; null: nothing bounds them. */
  worstMs: number | null;
  timeoutMs: number | null;
  /** How many tries the timeout leaves room for, when each takes as long as it may; null: it cuts none off. */
  fitting: number | null;
}

const ms = (value: unknown): number | null =>
  typeof value === "string" ? (parseGoDuration(value) ?? null) || null : null;

/** Envoy's base without a word of the rule's own, and so many bases at most. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#config-http-filters-router-x-envoy-max-retries */
const usualBackoffMs = 25;
const mostBases = 10;
/** What Istio retries where a rule says nothing. https://istio.io/latest/docs/concepts/traffic-management/#retries */
const usualAttempts = 2;

/** What a rule's `timeout` and `retries` amount to. Durations as they are written; what is no duration counts as unset. */
export function retryArithmetic({ timeout, retries }: { timeout?: unknown; retries?: unknown }): RetryArithmetic {
  const said = (typeof retries === "object" && retries !== null ? retries : {}) as Record<string, unknown>;
  const attempts = typeof said.attempts === "number" ? said.attempts : retries === undefined ? usualAttempts : 0;
  const timeoutMs = ms(timeout);
  const ownMs = ms(said.perTryTimeout);
  // A try without a bound of its own may take as long as the request.
  const perTryMs = ownMs ?? timeoutMs;
  const base = ms(said.backoff) ?? usualBackoffMs;
  const waits = Array.from({ length: attempts }, (_, i) => Math.min(base * mostBases, base * (2 ** (i + 1) - 1)));
  const backoffMs = waits.reduce((sum, wait) => sum + wait, 0);
  const worstMs = perTryMs === null ? null : (attempts + 1) * perTryMs + backoffMs;
  const cut = timeoutMs !== null && worstMs !== null && worstMs > timeoutMs;
  return {
    tries: attempts + 1,
    perTryMs,
    backoffMs,
    worstMs,
    timeoutMs,
    fitting: cut && perTryMs !== null ? Math.max(1, triesWithin(timeoutMs, perTryMs, waits)) : null,
  };
}

function triesWithin(timeoutMs: number, perTryMs: number, waits: readonly number[]): number {
  let [at, tries] = [perTryMs, at0(perTryMs, timeoutMs)];
  for (const wait of waits) {
    at += wait + perTryMs;
    if (at > timeoutMs) return tries;
    tries++;
  }
  return tries;
}

const at0 = (perTryMs: number, timeoutMs: number): number => (perTryMs <= timeoutMs ? 1 : 0);
