import { parseGoDuration } from "../lib/go-duration.ts";

/** Which traces are kept, and how much is held while that is not decided. */
export interface SamplingSettings {
  /** Of all traces, whatever they hold: 0 to 1. */
  share: number;
  /** Of each operation in each round, how many of the slowest. */
  slowest: number;
  /** A trace is decided this long after its first span, and at most twice as long. */
  waitMs: number;
  /** Traces, and spans of all of them, that are held; past it the round ends early. */
  maxTraces: number;
  maxSpans: number;
  /** Past it the rest of a trace is left out. */
  maxSpansPerTrace: number;
}

export const defaultSampling: SamplingSettings = {
  share: 0.1,
  slowest: 1,
  waitMs: 5000,
  maxTraces: 20_000,
  maxSpans: 100_000,
  maxSpansPerTrace: 2000,
};

interface Setting {
  field: keyof SamplingSettings;
  parse(text: string): number | undefined;
  right: string;
}

const count = (field: keyof SamplingSettings, least = 1): Setting => ({
  field,
  parse: (text) => (/^\d{1,8}$/.test(text) && Number(text) >= least ? Number(text) : undefined),
  right: `a whole number from ${least} up`,
});

const settings: Readonly<Record<string, Setting>> = {
  keep: { field: "share", parse: parseShare, right: "a share such as 5% or 0.05" },
  slowest: count("slowest", 0),
  wait: { field: "waitMs", parse: parseWait, right: "a duration of 100ms to 5m, such as 5s" },
  "max-traces": count("maxTraces"),
  "max-spans": count("maxSpans"),
  "max-spans-per-trace": count("maxSpansPerTrace"),
};

/**
 * Reads `keep=5%,slowest=2,wait=10s`; what is not named stays at its default. Empty or left out: every trace is kept, and undefined is returned.
 * Throws one Error that tells all that is wrong with it.
 */
export function parseSampling(text: string | undefined): SamplingSettings | undefined {
  const parts = (text ?? "").split(",").map((each) => each.trim());
  if (parts.every((part) => part === "")) return undefined;
  const parsed = { ...defaultSampling };
  const errors: string[] = [];
  for (const part of parts.filter((each) => each !== "")) {
    const [name = "", value = ""] = part.split("=", 2).map((each) => each.trim());
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (setting === undefined) {
      errors.push(`${name}: must be one of ${Object.keys(settings).join(", ")}`);
      continue;
    }
    const number = setting.parse(value);
    if (number === undefined) errors.push(`${name}=${value}: must be ${setting.right}`);
    else parsed[setting.field] = number;
  }
  if (errors.length > 0) throw new Error(`trace sampling: ${errors.join("; ")}`);
  return parsed;
}

function parseShare(text: string): number | undefined {
  const [, number, percent] = /^(\d{1,3}(?:\.\d{1,6})?|0?\.\d{1,8})(%?)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const share = Number(number) / (percent ? 100 : 1);
  return share <= 1 ? share : undefined;
}

function parseWait(text: string): number | undefined {
  const ms = parseGoDuration(text);
  return ms !== undefined && ms >= 100 && ms <= 300_000 ? ms : undefined;
}
