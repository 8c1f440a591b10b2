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

/** What is wrong with a setting, and which word says so. */
export interface RetentionFault {
  name: string;
  value: string;
  fault: "unknown" | Setting["kind"] | "order";
}

const coarserLonger =
  "rollup-1s, rollup-10s, rollup-1m and rollup-1h: a coarser step must be kept as long as a finer one";

const sentenceOf = ({ name, value, fault }: RetentionFault): string => {
  if (fault === "unknown") return `${name}: must be one of ${Object.keys(retentionSettings).join(", ")}`;
  if (fault === "order") return coarserLonger;
  return `${name}=${value}: must be ${fault === "duration" ? "a duration of a second or more, such as 36h or 7d" : "a whole number"}`;
};

/**
 * Reads `access-logs=12h,max-spans=200000`; what is not named stays at its default, and what is named twice is as it is named last. Throws one Error that
 * tells all that is wrong with it.
 */
export function parseRetention(text: string | undefined): Retention {
  const { retention, faults } = checkRetention(text);
  if (faults.length > 0) throw new Error(`retention: ${faults.map(sentenceOf).join("; ")}`);
  return retention;
}

/** The same, with all that is wrong as data. */
export function checkRetention(text: string | undefined): { retention: Retention; faults: RetentionFault[] } {
  let retention = defaultRetention;
  const faults: RetentionFault[] = [];
  for (const [name, value] of settingsIn(text)) {
    const setting = Object.hasOwn(retentionSettings, name) ? retentionSettings[name] : undefined;
    const parsed = setting?.kind === "duration" ? parseSeconds(value) : parseCount(value);
    if (setting === undefined || parsed === undefined) faults.push({ name, value, fault: setting?.kind ?? "unknown" });
    else retention = setting.set(retention, parsed);
  }
  if (faults.length === 0 && !growing(retention.steps)) faults.push({ name: "rollup-1s", value: "", fault: "order" });
  return { retention, faults };
}

/** What a text names, as it stands there. */
export function settingsIn(text: string | undefined): Map<string, string> {
  const parts = (text ?? "").split(",").map((part) => part.trim());
  return new Map(
    parts.filter(Boolean).map((part) => {
      const [name = "", value = ""] = part.split("=", 2).map((each) => each.trim());
      return [name, value];
    }),
  );
}

export const settingsText = (settings: ReadonlyMap<string, string>): string =>
  [...settings].map(([name, value]) => `${name}=${value}`).join(",");

/**
 * What holds: settings made on a page, and before them those of a flag or a variable, which are known to be right. Settings of the page that don't go
 * with these don't hold, and `why` says so.
 */
export function effectiveRetention(ofPage: string, own: string | undefined): { retention: Retention; why?: string } {
  try {
    return { retention: parseRetention([ofPage, own ?? ""].join(",")) };
  } catch (error) {
    return { retention: parseRetention(own), why: error instanceof Error ? error.message : String(error) };
  }
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
  listRetention(retention).map(({ name, value, disk, bounds }) => [name, value, disk ? diskText(disk) : "", bounds]);

export interface ListedSetting extends Pick<Setting, "kind" | "bounds"> {
  name: string;
  /** As `parseRetention` reads it. */
  value: string;
  /** Bytes when it is used up, of everything or of each edge; null where it bounds nothing of its own. */
  disk: { bytes: number; perEdge: boolean } | null;
}

export const listRetention = (retention: Retention): ListedSetting[] =>
  Object.entries(retentionSettings).map(([name, { kind, bounds, get }]) => ({
    name,
    kind,
    bounds,
    value: kind === "duration" ? durationText(get(retention)) : String(get(retention)),
    disk: diskOf(name, retention),
  }));

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

function diskOf(name: string, retention: Retention): ListedSetting["disk"] {
  const ofBucket = bucketBytes[name];
  if (ofBucket !== undefined) {
    const [seconds, bytes] = ofBucket;
    return { bytes: (retention.steps[seconds] / seconds) * bytes, perEdge: true };
  }
  const bytes = rowBytes[name];
  return bytes === undefined ? null : { bytes: bytes * (retentionSettings[name]?.get(retention) ?? 0), perEdge: false };
}

const diskText = ({ bytes, perEdge }: { bytes: number; perEdge: boolean }): string =>
  `${bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`}${perEdge ? " per edge" : ""}`;
