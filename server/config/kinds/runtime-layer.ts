import { z } from "zod";
import { told } from "../../contract/told.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { defineKind } from "./define.ts";
import { duration } from "./fields.ts";
import { rule, text } from "./schema.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

const percentSchema = z.strictObject({
  numerator: z.int().min(0).max(4_294_967_295),
  denominator: z.enum(["HUNDRED", "TEN_THOUSAND", "MILLION"]).optional().describe("Default HUNDRED."),
});

const keyText = text((key) => (/^[\w.-]{1,200}$/.test(key) ? undefined : told("runtime-key", {})));

const [minTtlMs, maxTtlMs] = [3_000, 24 * 3_600_000];

const ttlSchema = rule(duration(), (value, report) => {
  const ms = parseGoDuration(value) ?? 0;
  if (ms < minTtlMs) report([], told("at-least", { minimum: "3s", value }));
  if (ms > maxTtlMs) report([], told("at-most", { maximum: "24h", value }));
});

/**
 * Values of Envoy's runtime, by key, for one layer of the proxies' bootstrap (`rtds_layer`).
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime
 */
const runtimeLayerSpecSchema = z.strictObject({
  selector: workloadSelectorSchema
    .optional()
    .describe("Labels of the workloads; unset: all of the namespace, or of the mesh."),
  layer: z.string().min(1).max(200).optional().describe("The name by which proxies ask for it; default limpid."),
  ttl: ttlSchema
    .optional()
    .describe(
      "How long proxies keep the layer without hearing from the control plane, 3s to 24h, where they can tell (client feature xds.config.supports-resource-ttl); unset: for as long as they run. Of several for one layer the shortest counts, for all of it.",
    ),
  values: z
    .record(keyText, z.union([z.number(), z.boolean(), z.string().max(4_096), percentSchema]))
    .describe("By runtime key: a number, a boolean, a text, or a share (numerator and denominator)."),
});
export type RuntimeLayerSpec = z.output<typeof runtimeLayerSpecSchema>;

export const runtimeLayer = defineKind({
  kind: "RuntimeLayer",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "runtimelayers",
  singular: "runtimelayer",
  shortNames: ["rtl"],
  categories: ["limpid"],
  spec: runtimeLayerSpecSchema,
  columns: [
    {
      name: "Layer",
      type: "string",
      description: "The name by which proxies ask for it",
      priority: 0,
      value: (object) => (object.spec as RuntimeLayerSpec).layer ?? "limpid",
    },
    {
      name: "Keys",
      type: "string",
      description: "The runtime keys that it sets",
      priority: 0,
      value: (object) => Object.keys((object.spec as RuntimeLayerSpec).values).join(","),
    },
  ],
});
