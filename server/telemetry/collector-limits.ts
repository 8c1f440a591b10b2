import { defaultRetention, type Retention } from "../wire/retention.ts";

/** Bounds between the receivers and the store. */
export interface IngestLimits {
  maxEdges: number;
  maxEntries: number;
  lateMs: number;
  maxLateMs: number;
  samplesPerEdgeAndSecond: number;
  maxWaitingSamples: number;
  /** Errors apart from successes: neither may take the other's room. */
  maxWaitingErrors: number;
  maxWaitingSpans: number;
  maxWaitingSpanBytes: number;
  maxWaitingLogs: number;
  maxWaitingLogBytes: number;
  /** How long after a second its last records are waited for: the proxies' flush interval and the way. */
  graceMs: number;
  retention: Retention;
}

/** Beside them, those of what is taken in at once. */
export interface CollectorLimits extends IngestLimits {
  maxMessageBytes: number;
  maxBodyBytes: number;
}

export const defaultLimits: CollectorLimits = {
  maxEdges: 20_000,
  maxEntries: 100_000,
  lateMs: 20_000,
  maxLateMs: 3_600_000,
  samplesPerEdgeAndSecond: 5,
  maxWaitingSamples: 10_000,
  maxWaitingErrors: 10_000,
  maxWaitingSpans: 100_000,
  maxWaitingSpanBytes: 128 << 20,
  maxWaitingLogs: 50_000,
  maxWaitingLogBytes: 64 << 20,
  graceMs: 800,
  retention: defaultRetention,
  maxMessageBytes: 16 << 20,
  maxBodyBytes: 4 << 20,
};
