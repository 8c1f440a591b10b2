import { type HealthThresholds, healthThresholds, type PartialThresholds, type Told, told } from "../contract/index.ts";
import { parseGoDuration } from "../lib/go-duration.ts";

/**
 * Kiali's annotation of services and workloads: `5XX,1,5,http,inbound;4XX,30,50`, each a code (X for any digit, or a regular expression), the
 * percents from which it is degraded and failing, and which protocols and directions it is for. https://kiali.io/docs/configuration/health/
 */
export const rateAnnotation = "health.kiali.io/rate";
/** `500ms,2s`: from which p95 it is degraded and failing. */
export const latencyAnnotation = "health.limpid.dev/latency-p95";

export type { HealthThresholds };
export const usualThresholds = healthThresholds;

export type { PartialThresholds };

/** What annotations say of health, and what of them can't be followed, by annotation. */
export function healthAnnotations(annotations: Readonly<Record<string, string>> | undefined): {
  thresholds: PartialThresholds;
  problems: ({ annotation: string } & Told)[];
} {
  const problems: ({ annotation: string } & Told)[] = [];
  const thresholds: PartialThresholds = {};
  const rate = annotations?.[rateAnnotation];
  const latency = annotations?.[latencyAnnotation];
  for (const entry of rate?.split(";") ?? []) {
    if (entry.trim() === "") continue;
    const read = readRate(entry);
    if (read !== undefined && "message" in read) problems.push({ annotation: rateAnnotation, ...read });
    // As in Kiali, the first that fits counts.
    else if (read !== undefined) for (const by of read.by) thresholds[by] ??= read.limits;
  }
  if (latency !== undefined) {
    const read = readLatency(latency);
    if ("message" in read) problems.push({ annotation: latencyAnnotation, ...read });
    else thresholds.latencyMsP95 = read;
  }
  return { thresholds, problems };
}

type Rate = { by: ("errors" | "clientErrors")[]; limits: { degraded: number; failing: number } };

/** Undefined: it is for calls that are not judged here, those that go out. */
function readRate(entry: string): Rate | undefined | Told {
  const [code = "", degraded = "", failing = "", protocol = "", direction = "", ...more] = entry
    .split(",")
    .map((part) => part.trim());
  const limits = { degraded: percent(degraded), failing: percent(failing) };
  if (more.length > 0 || Number.isNaN(limits.degraded) || Number.isNaN(limits.failing))
    return told("health-rate", {
      value: JSON.stringify(entry.trim()),
      form: "<code>,<degraded %>,<failing %>[,<protocol>[,<direction>]]",
    });
  if (!matches(direction, "inbound") || !matches(protocol, "http")) return undefined;
  const by: Rate["by"] = [];
  if (coversClass(code, 5)) by.push("errors");
  if (coversClass(code, 4)) by.push("clientErrors");
  if (by.length === 0) return told("health-code", { value: JSON.stringify(entry.trim()) });
  return { by, limits };
}

/** Whether an entry of the annotation is for calls that are judged here: those that come in over HTTP. */
export function isJudgedRate(entry: string): boolean {
  const read = readRate(entry);
  return read !== undefined && !("message" in read);
}

/** A share of 0..1. */
function percent(text: string): number {
  const value = /^\d{1,3}(\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  return value <= 100 ? value / 100 : Number.NaN;
}

/** Kiali's fields are regular expressions; of these only what people write is read: names, lists of them, and everything. */
const matches = (pattern: string, value: string): boolean =>
  pattern === "" ||
  pattern === ".*" ||
  pattern
    .replace(/^\^|\$$/g, "")
    .split("|")
    .includes(value);

function coversClass(pattern: string, digit: number): boolean {
  const plain = pattern.replace(/^\^|\$$/g, "").toUpperCase();
  return plain.split("|").some((one) => [".*", `${digit}XX`, `${digit}..`, `${digit}\\D\\D`, "XXX"].includes(one));
}

function readLatency(text: string): NonNullable<HealthThresholds["latencyMsP95"]> | Told {
  const [degraded, failing, ...more] = text.split(",").map((part) => parseGoDuration(part.trim()));
  if (degraded === undefined || failing === undefined || more.length > 0 || degraded <= 0 || failing < degraded)
    return told("health-latency", { value: JSON.stringify(text) });
  return { degraded, failing };
}
