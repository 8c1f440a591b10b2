import type { Signals } from "../contract/index.ts";
import { LatencySketch } from "../lib/latency-sketch.ts";
import type { RollupSum } from "./reader.ts";

/** A sum of roll-up rows. */
export class Tally {
  count = 0;
  /** See {@link isFailure}. */
  errors = 0;
  clientErrors = 0;
  /** Calls whose caller went away before there was an answer. */
  abandoned = 0;
  requestBytes = 0;
  responseBytes = 0;
  requestMessages = 0;
  responseMessages = 0;
  /** Of requests that were answered by whoever was called. */
  readonly latency = new LatencySketch();
  readonly codes = new Map<number, number>();
  readonly grpcStatuses = new Map<number, number>();
  readonly flags = new Map<string, number>();

  /** Without latencies when only counts are asked for: merging them is most of the work. */
  add(row: RollupSum, withLatency = true): void {
    this.count += row.count;
    this.requestBytes += row.requestBytes;
    this.responseBytes += row.responseBytes;
    this.requestMessages += row.requestMessages;
    this.responseMessages += row.responseMessages;
    if (isFailure(row)) this.errors += row.count;
    else if (row.code >= 400 && row.code < 500) this.clientErrors += row.count;
    else if (isAbandoned(row)) this.abandoned += row.count;
    // A TCP connection has no code, and how long it was open is nobody's slowness: both would be said of what was not asked.
    if (row.edge.protocol !== "tcp") {
      if (withLatency && isAnswered(row)) this.latency.mergeEncoded(row.latency);
      increase(this.codes, row.code, row.count);
    }
    if (row.grpcStatus >= 0) increase(this.grpcStatuses, row.grpcStatus, row.count);
    for (const flag of row.flags) increase(this.flags, flag, row.count);
  }

  merge(other: Tally): void {
    this.count += other.count;
    this.requestBytes += other.requestBytes;
    this.responseBytes += other.responseBytes;
    this.requestMessages += other.requestMessages;
    this.responseMessages += other.responseMessages;
    this.errors += other.errors;
    this.clientErrors += other.clientErrors;
    this.abandoned += other.abandoned;
    this.latency.merge(other.latency);
    for (const [code, count] of other.codes) increase(this.codes, code, count);
    for (const [status, count] of other.grpcStatuses) increase(this.grpcStatuses, status, count);
    for (const [flag, count] of other.flags) increase(this.flags, flag, count);
  }

  /** Over so many seconds. */
  signals(seconds: number): Signals {
    return {
      requestRate: this.count / seconds,
      errorShare: this.count === 0 ? 0 : this.errors / this.count,
      clientErrorShare: this.count === 0 ? 0 : this.clientErrors / this.count,
      latencyMsP50: this.percentile(0.5),
      latencyMsP90: this.percentile(0.9),
      latencyMsP95: this.percentile(0.95),
      latencyMsP99: this.percentile(0.99),
    };
  }

  /** Milliseconds to the microsecond; null without a request. */
  percentile(q: number): number | null {
    const value = this.latency.quantile(q);
    return value === undefined ? null : Math.round(value * 1000) / 1000;
  }
}

/** Per second, by code or flag. */
export const ratesOf = (counts: ReadonlyMap<string | number, number>, seconds: number): Record<string, number> =>
  Object.fromEntries([...counts].map(([key, count]) => [String(key), count / seconds]));

type Answer = Pick<RollupSum, "code" | "grpcStatus" | "flags"> & { edge: Pick<RollupSum["edge"], "protocol"> };

/**
 * No response, 5xx, a gRPC status but OK, or a TCP connection that failed. Not what its caller did not wait for: that says nothing of the service
 * (docs/decisions/0015-who-hung-up.md). gRPC's statuses by Kiali's default, where all from 1 to 16 are errors: https://kiali.io/docs/configuration/health/
 */
export function isFailure(row: Answer): boolean {
  if (isAbandoned(row)) return false;
  if (row.edge.protocol === "tcp") return row.flags.length > 0;
  return row.code === 0 || row.code >= 500 || row.grpcStatus > 0;
}

/** The caller closed the connection, or took its request back, before there was an answer. */
export function isAbandoned({ edge, code, grpcStatus, flags }: Answer): boolean {
  if (!flags.includes("DC") && !flags.includes("DR")) return false;
  // gRPC tells such a call's end as CANCELLED.
  return edge.protocol === "tcp" || (code === 0 && grpcStatus <= 0) || grpcStatus === cancelled;
}

const cancelled = 1;

/**
 * Whether a call's duration says how long an answer takes: not when its caller left before, nor when an injected fault answered in place of
 * the service. Either would show a service as quick that nobody heard of.
 */
const isAnswered = (row: Answer): boolean => !isAbandoned(row) && !row.flags.includes("FI");

function increase<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
