import { z } from "zod";

/** Bounds of one run. A machine that makes load must not be brought down by what a form was given. */
export const loadLimits = {
  rate: 5000,
  durationSec: 900,
  warmUpSec: 60,
  connections: 512,
  timeoutMs: 60_000,
  bodyBytes: 256 * 1024,
  headers: 50,
  requests: 20,
  weight: 1000,
} as const;

/** A token of RFC 9110, which the request line must hold as it is. */
const Method = z.string().regex(/^[A-Z]{1,20}$/, "must be a method such as GET");
const HeaderName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, "must be the name of a header");
const HeaderValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]{0,4000}$/, "must be the value of a header: no line breaks");

const Url = z.url({ protocol: /^https?$/, error: "must be a URL such as http://127.0.0.1:8080/productpage" });
/** Its share of the requests is its part of all weights. */
const Weight = z.number().int().min(1).max(loadLimits.weight).default(1);

/** Another request of the same run; headers and body are the plan's own where they are left out. */
const LoadRequest = z.strictObject({
  url: Url,
  method: Method.default("GET"),
  headers: z.record(HeaderName, HeaderValue).optional(),
  body: z.string().max(loadLimits.bodyBytes).optional(),
  weight: Weight,
});

/** What is sent, how often and for how long. */
export const LoadPlan = z.strictObject({
  url: Url,
  method: Method.default("GET"),
  weight: Weight,
  /** What is sent beside it, in turn, at the same rate together. */
  also: z.array(LoadRequest).max(loadLimits.requests).default([]),
  /** `host` (or `:authority`) may be among them. */
  headers: z
    .record(HeaderName, HeaderValue)
    .refine((headers) => Object.keys(headers).length <= loadLimits.headers, `at most ${loadLimits.headers} headers`)
    .default({}),
  body: z.string().max(loadLimits.bodyBytes).default(""),
  /** Requests per second that begin, whatever becomes of those before. */
  rate: z.number().min(0.1).max(loadLimits.rate),
  durationSec: z.number().int().min(1).max(loadLimits.durationSec).default(30),
  /** Seconds at the beginning that count for nothing. */
  warmUpSec: z.number().int().min(0).max(loadLimits.warmUpSec).default(0),
  /** At the most, to each address. */
  connections: z.number().int().min(1).max(loadLimits.connections).default(16),
  /** From when a request is due. */
  timeoutMs: z.number().int().min(1).max(loadLimits.timeoutMs).default(10_000),
  /** `poisson`: as independent callers come; `constant`: evenly. */
  arrivals: z.enum(["poisson", "constant"]).default("poisson"),
  /** `http2`: prior knowledge on http, ALPN on https. */
  protocol: z.enum(["http1", "http2"]).default("http1"),
  /** Take any certificate. */
  insecure: z.boolean().default(false),
});
export type LoadPlan = z.infer<typeof LoadPlan>;

/** Milliseconds; null where nothing was answered. */
export const LoadLatency = z.object({
  p50: z.number().nullable(),
  p75: z.number().nullable(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  p999: z.number().nullable(),
  max: z.number().nullable(),
});
export type LoadLatency = z.infer<typeof LoadLatency>;

/** One second of a run, by when its requests were due. `at`: seconds from the beginning. */
export const LoadSecond = z.object({
  at: z.number().int(),
  due: z.number().int(),
  ok: z.number().int(),
  failed: z.number().int(),
  p50: z.number().nullable(),
  p99: z.number().nullable(),
});
export type LoadSecond = z.infer<typeof LoadSecond>;

/** Why there was no answer; besides, codes such as `ECONNREFUSED` and `RST_STREAM 7`. */
export const loadFailures = [
  "timeout",
  "no connection in time",
  "not sent",
  "closed without an answer",
  "other",
] as const;

/** What became of the requests of one run. Those of the warm-up are in `seconds` alone. */
export const LoadOutcome = z.object({
  /** How many were due, and of them those that were sent, answered, and answered below 400 (gRPC: with status 0). */
  due: z.number().int(),
  sent: z.number().int(),
  answered: z.number().int(),
  ok: z.number().int(),
  /** By HTTP status. */
  statuses: z.record(z.string(), z.number().int()),
  /** Without an answer, by why: `timeout`, `no connection in time`, `ECONNREFUSED`, … ; `not sent`: too many were waiting already. */
  failures: z.record(z.string(), z.number().int()),
  /** Of answers. */
  bytes: z.number(),
  /** Answers per second, over the time that counted. */
  answeredPerSec: z.number(),
  /** From when a request was due: what a caller would have waited. */
  latency: LoadLatency,
  /** From when it was sent, for comparison: this leaves out what waited. */
  serviceTime: LoadLatency,
  /** How late the generator itself was, 99 of 100 times at the most: what is not the target's fault. */
  generatorLagMs: z.number(),
  seconds: z.array(LoadSecond),
  /** Of each request of a plan that has several: the plan's own, then those beside it. */
  requests: z
    .array(
      z.object({
        due: z.number().int(),
        answered: z.number().int(),
        ok: z.number().int(),
        p50: z.number().nullable(),
        p99: z.number().nullable(),
      }),
    )
    .default([]),
});
export type LoadOutcome = z.infer<typeof LoadOutcome>;

/** A run that is over. Times are Unix milliseconds. */
export const LoadReport = z.object({
  id: z.string(),
  plan: LoadPlan,
  /** Who began it. */
  author: z.string(),
  startedAt: z.number(),
  endedAt: z.number(),
  /** It was stopped before its time, or failed for this reason. */
  ended: z.enum(["done", "stopped", "failed"]),
  why: z.string().optional(),
  /** The mesh's revision at the beginning and at the end; null: it could not be asked. */
  revision: z.object({ from: z.number().nullable(), to: z.number().nullable() }),
  outcome: LoadOutcome,
});
export type LoadReport = z.infer<typeof LoadReport>;

/** Of the mesh between two runs: what was in force for the later one and not for the earlier one. Either may be the later one. */
export function changesBetween<Changed extends { revision: number }>(
  changes: readonly Changed[],
  { revision: { to: one } }: Pick<LoadReport, "revision">,
  { revision: { to: other } }: Pick<LoadReport, "revision">,
): Changed[] {
  if (one === null || other === null) return [];
  return changes.filter(({ revision }) => revision > Math.min(one, other) && revision <= Math.max(one, other));
}

/** `POST /api/load-tests/reports`: of a run that a command made. */
export const MadeLoadTest = LoadReport.omit({ id: true, author: true, revision: true });
export type MadeLoadTest = z.infer<typeof MadeLoadTest>;

/** A run that goes on, with what it has so far. */
export const LoadRun = LoadReport.omit({ endedAt: true, ended: true, why: true }).extend({
  /** Seconds that have passed, of `plan.warmUpSec + plan.durationSec`. */
  elapsedSec: z.number(),
});
export type LoadRun = z.infer<typeof LoadRun>;

/** `GET /api/load-tests`: the newest first, without their seconds. */
export const LoadTests = z.object({
  now: z.number(),
  running: LoadRun.nullable(),
  reports: z.array(LoadReport),
});
export type LoadTests = z.infer<typeof LoadTests>;

/** Where load can be sent: a gateway's listener, or a workload's own way out, by which it calls others under its rules. */
export const LoadTarget = z.object({
  kind: z.enum(["gateway", "workload"]),
  namespace: z.string(),
  name: z.string(),
  /** `http://127.0.0.1:8080` */
  origin: z.string(),
  protocols: z.array(z.enum(["http1", "http2"])),
  /** Names that it answers to there. */
  hosts: z.array(z.string()),
});
export type LoadTarget = z.infer<typeof LoadTarget>;

/** `GET /api/load-targets` */
export const LoadTargets = z.object({ targets: z.array(LoadTarget) });
export type LoadTargets = z.infer<typeof LoadTargets>;
