import { z } from "zod";
import { told } from "../../contract/told.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { defineKind } from "./define.ts";
import { duration } from "./fields.ts";
import { rule } from "./schema.ts";

const maxForMs = 24 * 3_600_000;
const [minWindowMs, maxWindowMs] = [10_000, 3_600_000];

/** A duration between two others, in milliseconds and as they are said. */
const within = (least: readonly [number, string], most: readonly [number, string]) =>
  rule(duration({ zero: least[0] === 0 }), (value, report) => {
    const ms = parseGoDuration(value);
    // What is no duration is said to be none, and not to be a short one besides.
    if (ms === undefined) return;
    if (ms < least[0]) report([], told("at-least", { minimum: least[1], value }));
    if (ms > most[0]) report([], told("at-most", { maximum: most[1], value }));
  });

const conditions = ["errors", "latency", "rate", "health", "proxies", "certificates"] as const;

const rateSchema = rule(
  z.strictObject({
    above: z.number().min(0).optional().describe("Requests per second."),
    below: z.number().min(0).optional().describe("Requests per second; also where nobody calls at all."),
  }),
  (limits, report) => {
    if ((limits.above === undefined) === (limits.below === undefined))
      report([], told("set-either", { fields: "above, below" }));
  },
);

const whenSchema = rule(
  z.strictObject({
    errors: z
      .strictObject({ above: z.number().min(0).max(100) })
      .optional()
      .describe("Percent of a service's requests that fail."),
    latency: z
      .strictObject({
        above: duration(),
        percentile: z.enum(["P50", "P90", "P95", "P99"]).optional().describe("Default P95."),
      })
      .optional()
      .describe("Of a service, as its callers see it."),
    rate: rateSchema.optional().describe("Of a service's requests."),
    health: z
      .strictObject({ atLeast: z.enum(["Degraded", "Failing"]) })
      .optional()
      .describe("Of a service, by its thresholds."),
    proxies: z
      .strictObject({
        states: z
          .array(z.enum(["Disconnected", "Refused", "Lagging"]))
          .min(1)
          .max(3),
      })
      .optional()
      .describe("Of the namespace's proxies."),
    certificates: z
      .strictObject({ endWithin: duration() })
      .optional()
      .describe("Those that proxies show to each other."),
  }),
  (when, report) => {
    const set = conditions.filter((name) => when[name] !== undefined);
    if (set.length !== 1) report([], told("set-either", { fields: conditions.join(", ") }));
  },
);

/** What people are told of when it lasts; see docs/decisions/0036-alerts-are-judged-by-the-dashboard.md. */
const alertRuleSpecSchema = rule(
  z.strictObject({
    service: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("Name or host; unset: every service of the namespace, and in the mesh's root namespace of the mesh."),
    when: whenSchema,
    window: within([minWindowMs, "10s"], [maxWindowMs, "1h"])
      .optional()
      .describe("Over which figures are taken, 10s to 1h; default 1m."),
    for: within([0, "0s"], [maxForMs, "24h"]).optional().describe("How long it must last, at most 24h; default 1m."),
    severity: z.enum(["Info", "Warning", "Critical"]).optional().describe("Default Warning."),
    receivers: z
      .array(z.string().min(1).max(63))
      .max(20)
      .optional()
      .describe("Who is told, by the names that `limpid alerts receivers` lists; unset: all of them."),
    suspended: z.boolean().optional().describe("Nobody is told, and what it told of is over."),
    mutedUntil: z.iso
      .datetime({ offset: true })
      .optional()
      .describe("Until then receivers are told nothing; what still lasts at the end they are told of then."),
  }),
  (spec, report) => {
    const about = spec.when.proxies ? "proxies" : spec.when.certificates ? "certificates" : undefined;
    if (spec.service !== undefined && about) report(["service"], told("not-beside", { other: `when.${about}` }));
  },
);
export type AlertRuleSpec = z.output<typeof alertRuleSpecSchema>;

const spec = (object: { spec: unknown }): AlertRuleSpec => object.spec as AlertRuleSpec;

export const alertRule = defineKind({
  kind: "AlertRule",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "alertrules",
  singular: "alertrule",
  shortNames: ["ar"],
  categories: ["limpid"],
  spec: alertRuleSpecSchema,
  columns: [
    {
      name: "Service",
      type: "string",
      description: "Whose figures are looked at",
      priority: 0,
      value: (object) => spec(object).service ?? "",
    },
    {
      name: "When",
      type: "string",
      description: "What people are told of",
      priority: 0,
      value: (object) => conditions.find((name) => spec(object).when[name] !== undefined) ?? "",
    },
    {
      name: "Severity",
      type: "string",
      description: "How grave it is",
      priority: 0,
      value: (object) => spec(object).severity ?? "Warning",
    },
  ],
});
