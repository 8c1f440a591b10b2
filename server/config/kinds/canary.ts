import { z } from "zod";
import { told } from "../../contract/told.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import type { ConfigObject } from "../object.ts";
import { defineKind } from "./define.ts";
import { duration } from "./fields.ts";
import { rule } from "./schema.ts";

const maxHoldMs = 24 * 3_600_000;

const holdSchema = rule(duration(), (value, report) => {
  if ((parseGoDuration(value) ?? 0) > maxHoldMs) report([], told("at-most", { maximum: "24h", value }));
});

const stepSchema = z.strictObject({
  weight: z
    .int()
    .min(1)
    .max(100)
    .describe("Percent of what both versions have together that the new one gets. The others' shares stay."),
  hold: holdSchema.describe("How long both are measured before the next step; at most 24h."),
});

const successRateSchema = rule(
  z.strictObject({
    min: z.number().min(0).max(100).optional().describe("Percent of the new version's requests that must succeed."),
    maxDrop: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe("Percentage points that it may be below the old version's."),
  }),
  (limits, report) => {
    if (limits.min === undefined && limits.maxDrop === undefined)
      report([], told("set-any", { fields: "min, maxDrop" }));
  },
);

const latencySchema = rule(
  z.strictObject({
    max: duration().optional().describe("Of the new version's 95th percentile."),
    maxRatio: z.number().min(1).max(1_000).optional().describe("How many times the old version's it may be."),
  }),
  (limits, report) => {
    if (limits.max === undefined && limits.maxRatio === undefined)
      report([], told("set-any", { fields: "max, maxRatio" }));
  },
);

const thresholdsSchema = z.strictObject({
  minRequests: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe("To each of both versions within a step, before it is judged; default 50."),
  successRate: successRateSchema.optional().describe("Default: min 99, maxDrop 1."),
  latencyP95: latencySchema.optional().describe("Default: maxRatio 2. The ratio counts from 100 ms on."),
});

const nameText = z.string().min(1).max(253);

/**
 * Traffic of one service moves from a version to another in steps, as long as the new one is no worse.
 * What it has in common with others: https://docs.flagger.app/usage/how-it-works, https://argo-rollouts.readthedocs.io/en/stable/features/canary/
 */
const canarySpecSchema = rule(
  z.strictObject({
    service: z.strictObject({
      name: nameText.describe("Its resource's name, or its hostname."),
      namespace: nameText.optional().describe("Default: the canary's own."),
    }),
    route: z
      .strictObject({
        virtualService: nameText
          .optional()
          .describe("`<name>` or `<namespace>/<name>`, such as that of a gateway; unset: the one inside of the mesh."),
        rule: z.int().min(0).max(10_000).optional().describe("Index into its `http`; unset: the one without a match."),
      })
      .optional()
      .describe("Which rule's weights are moved."),
    from: nameText.describe("The old version, or the subset that stands for it."),
    to: nameText.describe("The new one."),
    steps: z.array(stepSchema).min(1).max(100),
    thresholds: thresholdsSchema.optional(),
    onFailure: z
      .enum(["Rollback", "Pause"])
      .optional()
      .describe("When the new version is worse: the old weights again (default), or stop where it is."),
    paused: z.boolean().optional().describe("Weights stay as they are until it is false again."),
  }),
  ({ from, to, steps }, report) => {
    if (from === to) report(["to"], told("other-version", { from: JSON.stringify(from) }));
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1];
      if (before !== undefined && step.weight <= before.weight)
        report(["steps", index, "weight"], told("step-weight", { before: before.weight, weight: step.weight }));
    }
  },
);
export type CanarySpec = z.output<typeof canarySpecSchema>;

const statusText = (object: ConfigObject, field: string): string => String(object.status?.[field] ?? "");

export const canary = defineKind({
  kind: "Canary",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "canaries",
  singular: "canary",
  shortNames: ["cny"],
  categories: ["limpid"],
  spec: canarySpecSchema,
  columns: [
    {
      name: "Service",
      type: "string",
      description: "Whose traffic it moves",
      priority: 0,
      value: (object) => (object.spec as CanarySpec).service.name,
    },
    {
      name: "From",
      type: "string",
      description: "The old version",
      priority: 0,
      value: (object) => (object.spec as CanarySpec).from,
    },
    {
      name: "To",
      type: "string",
      description: "The new version",
      priority: 0,
      value: (object) => (object.spec as CanarySpec).to,
    },
    {
      name: "Phase",
      type: "string",
      description: "How far it is",
      priority: 0,
      value: (object) => statusText(object, "phase") || "Pending",
    },
    {
      name: "Weight",
      type: "string",
      description: "What the new version gets of both, in percent",
      priority: 0,
      value: (object) => statusText(object, "weight"),
    },
    {
      name: "Message",
      type: "string",
      description: "Why it is where it is",
      priority: 1,
      value: (object) => statusText(object, "message"),
    },
  ],
});
