/** Bucket lengths of the roll-up in seconds, finest first; each divides the next. */
export const steps = [1, 10, 60, 3600] as const;
export type Step = (typeof steps)[number];

/** How long each kind of telemetry is kept, and how much of it at the most. Whatever is reached first ends it. */
export interface Retention {
  /** Seconds, by step length in seconds. */
  steps: Readonly<Record<Step, number>>;
  /** Access logs of requests that went well, and of those that didn't: a budget each, so that neither can push the other out. */
  samplesSec: number;
  maxSamples: number;
  maxErrorSamples: number;
  spansSec: number;
  maxSpans: number;
  /** Applications' logs. */
  logsSec: number;
  maxLogs: number;
  /** Different series of metrics; their buckets are kept as long as those of the roll-up. */
  maxSeries: number;
}

const day = 86_400;

export const defaultRetention: Retention = {
  steps: { 1: 15 * 60, 10: 3 * 3600, 60: 2 * day, 3600: 30 * day },
  samplesSec: day,
  maxSamples: 200_000,
  maxErrorSamples: 200_000,
  spansSec: day,
  maxSpans: 1_000_000,
  logsSec: day,
  maxLogs: 500_000,
  maxSeries: 10_000,
};
