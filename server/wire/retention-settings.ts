import { formatGoDuration, parseGoDuration } from "../lib/go-duration.ts";
import { defaultRetention, type Retention, type Step } from "./retention.ts";

/** One setting of retention, by the name under which a flag and the variable LIMPID_RETENTION know it. */
interface Setting {
  kind: "duration" | "count";
  /** What it bounds, for people. */
  bounds: string;
  get(retention: Retention): number;
  set(retention: Retention, value: number): Retention;
}

const step = (of: Step, bounds: string): Setting => ({
  kind: "duration",
  bounds,
  get: ({ steps }) => steps[of],
  set: (retention, value) => ({ ...retention, steps: { ...retention.steps, [of]: value } }),
});

const field = (name: Exclude<keyof Retention, "steps">, kind: Setting["kind"], bounds: string): Setting => ({
  kind,
  bounds,
  get: (retention) => retention[name],
  set: (retention, value) => ({ ...retention, [name]: value }),
});

export const retentionSettings: Readonly<Record<string, Setting>> = {
  "rollup-1s": step(1, "counts and latencies by the second"),
  "rollup-10s": step(10, "by ten seconds"),
  "rollup-1m": step(60, "by the minute"),
  "rollup-1h": step(3600, "by the hour; metrics too"),
  "access-logs": field("samplesSec", "duration", "access logs"),
  "max-access-logs": field("maxSamples", "count", "access logs of requests that went well"),
  "max-access-log-errors": field("maxErrorSamples", "count", "access logs of requests that failed"),
  traces: field("spansSec", "duration", "spans"),
  "max-spans": field("maxSpans", "count", "spans"),
  logs: field("logsSec", "duration", "applications' logs"),
  "max-logs": field("maxLogs", "count", "applications' logs"),
  "max-series": field("maxSeries", "count", "different series of metrics"),
};

/**
 * Reads `access-logs=12h,max-spans=200000`; what is not named stays at its default. Throws one Error that tells all that is wrong with it.
 */
export function parseRetention(text: string | undefined): Retention {
  let retention = defaultRetention;
  const errors: string[] = [];
  for (const part of (text ?? "").split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const [name = "", value = ""] = part.split("=", 2).map((each) => each.trim());
    const setting = Object.hasOwn(retentionSettings, name) ? retentionSettings[name] : undefined;
    if (setting === undefined) {
      errors.push(`${name}: must be one of ${Object.keys(retentionSettings).join(", ")}`);
      continue;
    }
    const parsed = setting.kind === "duration" ? parseSeconds(value) : parseCount(value);
    if (parsed === undefined) {
      const right =
        setting.kind === "duration" ? "a duration of a second or more, such as 36h or 7d" : "a whole number";
      errors.push(`${name}=${value}: must be ${right}`);
    } else retention = setting.set(retention, parsed);
  }
  if (errors.length === 0 && !growing(retention.steps)) {
    errors.push("rollup-1s, rollup-10s, rollup-1m and rollup-1h: a coarser step must be kept as long as a finer one");
  }
  if (errors.length > 0) throw new Error(`retention: ${errors.join("; ")}`);
  return retention;
}

const growing = (steps: Retention["steps"]): boolean =>
  steps[1] <= steps[10] && steps[10] <= steps[60] && steps[60] <= steps[3600];

function parseSeconds(text: string): number | undefined {
  const days = /^(\d+(?:\.\d+)?)d$/.exec(text)?.[1];
  const seconds = days === undefined ? (parseGoDuration(text) ?? 0) / 1000 : Number(days) * 86_400;
  return seconds >= 1 && seconds <= 3650 * 86_400 ? Math.round(seconds) : undefined;
}

const parseCount = (text: string): number | undefined =>
  /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;

/** Every setting with its value and the disk it will take when it is used up, as lines of a table. */
export const describeRetention = (retention: Retention): string[][] =>
  Object.entries(retentionSettings).map(([name, setting]) => {
    const value = setting.get(retention);
    return [
      name,
      setting.kind === "duration" ? durationText(value) : String(value),
      diskText(name, retention),
      setting.bounds,
    ];
  });

function durationText(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : formatGoDuration(seconds * 1000);
}

/** Bytes of a row with its places in the indexes, as measured with the demo's traffic (docs/benchmarks.md). */
const rowBytes: Readonly<Record<string, number>> = {
  "max-access-logs": 480,
  "max-access-log-errors": 480,
  "max-spans": 560,
  "max-logs": 400,
};
/** Of one edge as one side reports it: a bucket has a code or two, and the coarser it is the more of the latency's bins. */
const bucketBytes: Readonly<Record<string, readonly [step: Step, bytes: number]>> = {
  "rollup-1s": [1, 36],
  "rollup-10s": [10, 60],
  "rollup-1m": [60, 110],
  "rollup-1h": [3600, 220],
};

function diskText(name: string, retention: Retention): string {
  const ofBucket = bucketBytes[name];
  if (ofBucket !== undefined) {
    const [seconds, bytes] = ofBucket;
    return `${sizeText((retention.steps[seconds] / seconds) * bytes)} per edge`;
  }
  const bytes = rowBytes[name];
  return bytes === undefined ? "" : sizeText(bytes * (retentionSettings[name]?.get(retention) ?? 0));
}

const sizeText = (bytes: number): string =>
  bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
