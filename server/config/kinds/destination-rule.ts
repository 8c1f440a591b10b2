import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { dnsLabel, exportTo, labels, reportDuplicates, wildcardHost } from "./fields.ts";
import { rule } from "./schema.ts";
import { trafficPolicySchema } from "./traffic-policy.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

const subsetSchema = z.strictObject({
  name: dnsLabel(),
  labels: labels().optional().describe("Labels that the subset's workloads have."),
  trafficPolicy: trafficPolicySchema.optional().describe("Goes before the rule's own, field by field."),
});
export type Subset = z.output<typeof subsetSchema>;

/** https://istio.io/latest/docs/reference/config/networking/destination-rule/ */
const destinationRuleSpecSchema = rule(
  z.strictObject({
    host: wildcardHost().describe("The service: short name, or fully qualified."),
    trafficPolicy: trafficPolicySchema.optional(),
    subsets: rule(z.array(subsetSchema), (subsets, report) =>
      reportDuplicates(
        subsets,
        (subset) => subset.name,
        (subset, index, first) =>
          report([index, "name"], told("name-of-too", { name: subset.name, other: `subsets[${first}]` })),
      ),
    )
      .optional()
      .describe("Named parts of the service, such as its versions."),
    exportTo: exportTo().optional(),
    workloadSelector: workloadSelectorSchema
      .optional()
      .describe("Labels of the calling workloads, in this namespace, that the rule is for; unset: everybody's."),
  }),
  ({ workloadSelector, exportTo = [] }, report) => {
    if (workloadSelector !== undefined && (exportTo.length > 1 || exportTo[0] === "*"))
      report(["exportTo"], told("selects-own-namespace", {}));
  },
);
export type DestinationRuleSpec = z.output<typeof destinationRuleSpecSchema>;

export const destinationRule = defineKind({
  kind: "DestinationRule",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "destinationrules",
  singular: "destinationrule",
  shortNames: ["dr"],
  categories: ["istio-io", "networking-istio-io"],
  spec: destinationRuleSpecSchema,
  columns: [
    {
      name: "Host",
      type: "string",
      description: "The service that the rule is for",
      priority: 0,
      value: (object) => (object.spec as DestinationRuleSpec).host,
    },
    {
      name: "Subsets",
      type: "string",
      description: "Names of the subsets",
      priority: 1,
      value: (object) => ((object.spec as DestinationRuleSpec).subsets ?? []).map((subset) => subset.name).join(","),
    },
  ],
});
