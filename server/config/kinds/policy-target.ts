import { z } from "zod";
import { told } from "../../contract/told.ts";
import type { Report } from "./schema.ts";
import { rule, says, text } from "./schema.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

/** What Istio lets a policy attach to, by the API group that each kind is in. */
const groups: Readonly<Record<string, readonly string[]>> = {
  Service: ["", "core"],
  ServiceEntry: ["networking.istio.io"],
  Gateway: ["gateway.networking.k8s.io"],
};

/** https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference */
const policyTargetSchema = rule(
  z.strictObject({
    group: z.string().optional().describe("Of the kind; unset for a Service."),
    kind: text((kind) => {
      if (kind === "GatewayClass") return told("no-waypoints", {});
      return kind in groups
        ? undefined
        : told("one-of-not", { values: Object.keys(groups).join(", "), value: JSON.stringify(kind) });
    }),
    name: z.string().min(1).max(253),
    namespace: z.never({ error: says(told("policy-namespace", {})) }).optional(),
  }),
  ({ group = "", kind }, report) => {
    const known = groups[kind];
    if (known === undefined || known.includes(group)) return;
    const [right] = known.map((one) => JSON.stringify(one));
    report(["group"], told("group-of-kind", { right: String(right), kind, value: JSON.stringify(group) }));
  },
);
export type PolicyTargetReference = z.output<typeof policyTargetSchema>;

const targetRefs = z
  .array(policyTargetSchema)
  .max(16)
  .optional()
  .describe("Services whose workloads it is for, where they are called by that service's port; or gateways by name.");

/** Of kinds that select workloads by another field, and know no lone target. */
export const proxyTargets = targetRefs.describe("Services whose workloads' proxies it is for; or gateways by name.");

/** The three ways of saying what a policy is for; at most one of them may be taken. */
export const attachment = {
  selector: workloadSelectorSchema
    .optional()
    .describe("Labels of the workloads; unset: all of the namespace, and in the root namespace all of the mesh."),
  targetRef: policyTargetSchema.optional().describe("The same as targetRefs with one entry."),
  targetRefs,
};

export function checkAttachment(
  spec: { selector?: unknown; targetRef?: unknown; targetRefs?: readonly unknown[] | undefined },
  report: Report,
): void {
  const set = [
    ...(spec.selector === undefined ? [] : ["selector"]),
    ...(spec.targetRef === undefined ? [] : ["targetRef"]),
    ...(spec.targetRefs?.length ? ["targetRefs"] : []),
  ];
  const [, second] = set;
  if (second !== undefined) report([second], told("attached-twice", { other: String(set[0]) }));
}
