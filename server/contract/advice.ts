import { z } from "zod";
import { windowField } from "./window.ts";

/** What there is of the calls of a window: a share of the lines is kept, counts are exact. */
export const Evidence = z.object({
  /** As counted. */
  calls: z.number(),
  /** Access log lines that were read. */
  lines: z.number(),
  /** A line was read of each call that was counted. */
  complete: z.boolean(),
  /** There are more lines than were read. */
  cut: z.boolean(),
});
export type Evidence = z.infer<typeof Evidence>;

export const CallSample = z.object({
  at: z.number(),
  method: z.string(),
  path: z.string(),
  code: z.number(),
  requestId: z.string(),
  traceId: z.string(),
});
export type CallSample = z.infer<typeof CallSample>;

export const AdvisedOperation = z.object({
  port: z.number(),
  /** Empty: TCP. */
  methods: z.array(z.string()),
  paths: z.array(z.string()),
});
export type AdvisedOperation = z.infer<typeof AdvisedOperation>;

export const AdvisedRule = z.object({
  principals: z.array(z.string()),
  operations: z.array(AdvisedOperation),
  /** Templates in place of paths that were seen. */
  generalised: z.array(z.object({ template: z.string(), paths: z.number(), example: z.string() })),
  /** Paths that stand as they were seen: others like them are refused. */
  asSeen: z.number(),
  /** No calls are behind it: HealthChecks have proxies ask for it. */
  probes: z.boolean(),
  calls: z.number(),
  firstAt: z.number(),
  lastAt: z.number(),
  samples: z.array(CallSample),
});
export type AdvisedRule = z.infer<typeof AdvisedRule>;

export const leftOutReasons = [
  "plain-text",
  "identity-unknown",
  "refused",
  "client-errors",
  "facts-missing",
  "not-matched",
  "no-lines",
] as const;

export const LeftOut = z.object({
  reason: z.enum(leftOutReasons),
  /** `<namespace>/<workload>`; empty: unknown. */
  caller: z.string(),
  calls: z.number(),
  firstAt: z.number().nullable(),
  lastAt: z.number().nullable(),
  sample: CallSample.nullable(),
});
export type LeftOut = z.infer<typeof LeftOut>;

export const AdvisedPolicy = z.object({
  namespace: z.string(),
  name: z.string(),
  selector: z.record(z.string(), z.string()),
  yaml: z.string(),
  rules: z.array(AdvisedRule),
  leftOut: z.array(LeftOut),
  evidence: Evidence,
});
export type AdvisedPolicy = z.infer<typeof AdvisedPolicy>;

/** `GET /api/advice/policy?namespace=&workload=&window=&at=&tails=`: a policy for each application that was called, or for the workload alone. */
export const PolicyAdvice = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  policies: z.array(AdvisedPolicy),
});
export type PolicyAdvice = z.infer<typeof PolicyAdvice>;

export const RefusedCall = CallSample.extend({
  caller: z.string(),
  /** Empty: in plain text, or not known. */
  principal: z.string(),
  destination: z.string(),
  port: z.number().nullable(),
  /** The rule that denies, or the policies of which no rule allows. */
  rule: z.string(),
  /** Calls that are alike, this one among them. */
  calls: z.number(),
});
export type RefusedCall = z.infer<typeof RefusedCall>;

/** `POST /api/advice/check`: what policies would have done with recorded calls. */
export const PolicyCheckRequest = z.object({
  yaml: z
    .string()
    .min(1)
    .max(1024 * 1024),
  window: windowField(6 * 3600),
  at: z.coerce.number().int().min(0).optional(),
});
export type PolicyCheckRequest = z.infer<typeof PolicyCheckRequest>;

export const PolicyCheck = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  evidence: Evidence,
  judged: z.number(),
  /** Calls that went through and would not have. */
  wouldRefuse: z.number(),
  /** Refused when they came, or by what is in force without these policies. */
  already: z.number(),
  undecided: z.number(),
  /** What was not recorded, by the name of the field that asks for it. */
  missing: z.array(z.string()),
  /** The most frequent first, at most 100. */
  refused: z.array(RefusedCall),
});
export type PolicyCheck = z.infer<typeof PolicyCheck>;

export const ScopeSize = z.object({ clusters: z.number(), bytes: z.number() });
export type ScopeSize = z.infer<typeof ScopeSize>;

/** `GET /api/advice/scope?namespace=&workload=&window=&at=` */
export const ScopeAdvice = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  namespace: z.string(),
  workload: z.string().nullable(),
  yaml: z.string(),
  /** `needed`: nobody called it by name, and proxies can't do without. */
  hosts: z.array(
    z.object({ host: z.string(), why: z.enum(["called", "needed"]), calls: z.number(), external: z.boolean() }),
  ),
  /** Called, and of no service. */
  unknown: z.array(z.object({ host: z.string(), calls: z.number() })),
  /** Of the proxies together that are connected; null: none is. */
  size: z.object({ proxies: z.number(), before: ScopeSize, after: ScopeSize }).nullable(),
});
export type ScopeAdvice = z.infer<typeof ScopeAdvice>;
