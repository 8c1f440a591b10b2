import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { labels, nonNegativeInt32, port, tokenError } from "./fields.ts";
import { qualifiedKeyError } from "./names.ts";
import { rule, says, text } from "./schema.ts";
import { workloadEntryFields } from "./workload-entry.ts";

const seconds = (usual: string) => nonNegativeInt32().optional().describe(`${usual} when unset or 0.`);

const headerName = text((name): Told | undefined =>
  /^[-_A-Za-z0-9]+$/.test(name) ? undefined : (tokenError(name) ?? told("header-name", { name: JSON.stringify(name) })),
);

const methods = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

/** https://istio.io/latest/docs/reference/config/networking/workload-group/#ReadinessProbe */
const probeSchema = rule(
  z.strictObject({
    initialDelaySeconds: nonNegativeInt32().optional().describe("Before the first probe."),
    timeoutSeconds: seconds("1"),
    periodSeconds: seconds("10"),
    successThreshold: nonNegativeInt32().optional().describe("Probes in a row after which it is well; 1 when unset."),
    failureThreshold: nonNegativeInt32()
      .optional()
      .describe("… after which it is not; 1 when unset, as Istio's agent has it."),
    httpGet: z
      .strictObject({
        path: z.string().max(2_000).optional().describe("/ when unset."),
        port: port(),
        host: z.string().max(253).optional().describe("Whom to connect to; the workload's own address when unset."),
        scheme: z.enum(["HTTP", "HTTPS", ""]).optional().describe("HTTP when unset; certificates are not checked."),
        httpHeaders: z
          .array(z.strictObject({ name: headerName, value: z.string().max(4_096).optional() }))
          .max(64)
          .optional(),
      })
      .optional()
      .describe("An answer from 200 to 399 means well."),
    tcpSocket: z
      .strictObject({ host: z.string().max(253).optional(), port: port() })
      .optional()
      .describe("A connection that is taken means well."),
    exec: z
      .strictObject({ command: z.array(z.string().min(1).max(4_096)).min(1).max(256) })
      .optional()
      .describe("Run on the workload's machine, without a shell; exit code 0 means well."),
    grpc: z
      .strictObject({ port: port(), service: z.string().max(512).optional() })
      .optional()
      .describe("grpc.health.v1.Health; SERVING means well."),
  }),
  (probe, report) => {
    const given = methods.filter((method) => probe[method] !== undefined);
    const fields = methods.join(", ");
    if (given.length === 0) report([], told("needs-one-of", { fields }));
    if (given.length > 1) report([], told("only-one-has", { fields, given: given.join(", ") }));
  },
);
export type ReadinessProbe = z.output<typeof probeSchema>;

const ownAddress = z.never({ error: says(told("of-each-workload", {})) }).optional();

/** https://istio.io/latest/docs/reference/config/networking/workload-group/ */
const workloadGroupSpecSchema = z.strictObject({
  metadata: z
    .strictObject({
      labels: rule(labels(), atMost256).optional(),
      annotations: rule(z.record(text(qualifiedKeyError), z.string().max(16_384)), atMost256).optional(),
    })
    .optional()
    .describe("Labels and annotations that every workload of the group has."),
  template: z
    .strictObject({ ...workloadEntryFields(), address: ownAddress })
    .describe("What the WorkloadEntry of each workload has; its address is where the workload's proxy says it is."),
  probe: probeSchema.optional().describe("By which each workload's own proxy finds out whether it is well."),
});
export type WorkloadGroupSpec = z.output<typeof workloadGroupSpecSchema>;

function atMost256(entries: Record<string, string>, report: (path: PropertyKey[], told: Told) => void): void {
  if (Object.keys(entries).length > 256) report([], told("max-entries", { count: 256 }));
}

export const workloadGroup = defineKind({
  kind: "WorkloadGroup",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "workloadgroups",
  singular: "workloadgroup",
  shortNames: ["wg"],
  categories: ["istio-io", "networking-istio-io"],
  spec: workloadGroupSpecSchema,
  columns: [
    {
      name: "Service-Account",
      type: "string",
      description: "Whose workloads may register",
      priority: 1,
      value: (object) => (object.spec as WorkloadGroupSpec).template.serviceAccount ?? "",
    },
    {
      name: "Probe",
      type: "string",
      description: "How they are probed",
      priority: 1,
      value: (object) => methods.find((method) => (object.spec as WorkloadGroupSpec).probe?.[method]) ?? "",
    },
  ],
});
