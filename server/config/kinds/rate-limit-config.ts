import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { type Report, rule } from "./schema.ts";

const limitSchema = rule(
  z.strictObject({
    name: z.string().min(1).max(200).optional().describe("By which the limit is told to whoever is limited."),
    unit: z
      .enum(["second", "minute", "hour", "day", "week", "month", "year"])
      .optional()
      .describe("Of the window in which requests are counted."),
    requests_per_unit: z.int().min(0).max(4_294_967_295).optional(),
    unlimited: z.boolean().optional().describe("No limit here, whatever a less particular descriptor says."),
  }),
  (limit, report) => {
    if (limit.unlimited === true) return;
    if (limit.unit === undefined) report(["unit"], told("field-required", {}));
    if (limit.requests_per_unit === undefined) report(["requests_per_unit"], told("field-required", {}));
  },
);

const descriptorSchema = z.strictObject({
  key: z.string().min(1).max(1_000),
  value: z
    .string()
    .max(1_000)
    .optional()
    .describe("Unset: any value, each with a count of its own. With `*` at its end: every value that begins like it."),
  rate_limit: limitSchema.optional(),
  shadow_mode: z.boolean().optional().describe("Counted and told, but nobody is refused."),
  get descriptors() {
    return z.array(descriptorSchema).max(10_000).optional().describe("For descriptors with a further entry.");
  },
});
export type RateLimitDescriptorSpec = z.output<typeof descriptorSchema>;

/** The format of Envoy's rate limit service. https://github.com/envoyproxy/ratelimit#configuration */
const rateLimitConfigSpecSchema = rule(
  z.strictObject({
    domain: z.string().min(1).max(1_000).describe("What the proxies' filter names."),
    descriptors: z.array(descriptorSchema).max(10_000),
  }),
  (spec, report) => reportTwins(spec.descriptors, ["descriptors"], report),
);
export type RateLimitConfigSpec = z.output<typeof rateLimitConfigSpecSchema>;

function reportTwins(descriptors: readonly RateLimitDescriptorSpec[], path: PropertyKey[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { key, value, descriptors: nested }] of descriptors.entries()) {
    const name = value === undefined ? key : `${key}_${value}`;
    if (seen.has(name)) report([...path, index], told("descriptor-twice", { name }));
    seen.add(name);
    reportTwins(nested ?? [], [...path, index, "descriptors"], report);
  }
}

export const rateLimitConfig = defineKind({
  kind: "RateLimitConfig",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "ratelimitconfigs",
  singular: "ratelimitconfig",
  shortNames: ["rlc"],
  categories: ["limpid"],
  spec: rateLimitConfigSpecSchema,
  columns: [
    {
      name: "Domain",
      type: "string",
      description: "What the proxies' filter names",
      priority: 0,
      value: (object) => (object.spec as RateLimitConfigSpec).domain,
    },
  ],
});
