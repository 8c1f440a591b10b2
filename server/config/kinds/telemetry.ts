import { z } from "zod";
import { told } from "../../contract/told.ts";
import { celError } from "./cel.ts";
import { defineKind } from "./define.ts";
import { duration, tokenError } from "./fields.ts";
import { attachment, checkAttachment, proxyTargets } from "./policy-target.ts";
import { notYet, orNull, rule, text } from "./schema.ts";

export const workloadModes = ["CLIENT_AND_SERVER", "CLIENT", "SERVER"] as const;
export type WorkloadMode = (typeof workloadModes)[number];

const mode = z
  .enum(workloadModes)
  .optional()
  .describe("CLIENT: calls that the workload makes; SERVER: calls that it takes; unset: both. A gateway is a CLIENT.");

const providers = z
  .array(z.strictObject({ name: z.string().min(1).max(63).describe("Of an extensionProvider of the MeshConfig.") }))
  .max(8)
  .optional();

/** A span's tag. https://istio.io/latest/docs/reference/config/telemetry/#Tracing-CustomTag */
const customTagSchema = rule(
  z.strictObject({
    literal: z.strictObject({ value: z.string().min(1).max(4_096) }).optional(),
    environment: z
      .strictObject({ name: z.string().min(1).max(256), defaultValue: z.string().max(4_096).optional() })
      .optional()
      .describe("Of the proxy's process."),
    header: z
      .strictObject({ name: text(tokenError), defaultValue: z.string().max(4_096).optional() })
      .optional()
      .describe("Of the request."),
    formatter: z
      .strictObject({ value: z.string().min(1).max(4_096) })
      .optional()
      .describe("With Envoy's command operators, as in an access log."),
  }),
  (tag, report) => {
    const given = Object.keys(tag);
    const fields = "literal, environment, header, formatter";
    if (given.length === 0) report([], told("needs-one-of", { fields }));
    if (given.length > 1) report([], told("only-one-has", { fields, given: given.join(", ") }));
  },
);

const tracingSchema = z.strictObject({
  match: z.strictObject({ mode }).optional(),
  providers: providers.describe(
    "Where spans go; the first counts. Unset: defaultProviders of the MeshConfig, else the mesh's own collector.",
  ),
  randomSamplingPercentage: orNull(z.number().min(0).max(100)).describe(
    "Of requests that nobody has decided about; unset: what the installation has.",
  ),
  disableSpanReporting: orNull(z.boolean()),
  customTags: z
    .record(z.string().min(1).max(256), customTagSchema)
    .optional()
    .describe("Instead of those of what this adds to, the namespace's and the mesh's."),
  enableIstioTags: orNull(z.boolean()).describe("istio.canonical_service and the like; true when unset."),
  useRequestIdForTraceSampling: orNull(z.boolean()).describe(
    "Of Envoys: what x-request-id says of sampling counts; true when unset.",
  ),
  disableContextPropagation: notYet(),
});

export const standardMetrics = [
  "ALL_METRICS",
  "REQUEST_COUNT",
  "REQUEST_DURATION",
  "REQUEST_SIZE",
  "RESPONSE_SIZE",
  "TCP_OPENED_CONNECTIONS",
  "TCP_CLOSED_CONNECTIONS",
  "TCP_SENT_BYTES",
  "TCP_RECEIVED_BYTES",
  "GRPC_REQUEST_MESSAGES",
  "GRPC_RESPONSE_MESSAGES",
] as const;

const tagName = text((name) =>
  /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? undefined : told("tag-name", { value: JSON.stringify(name) }),
);

const tagOverrideSchema = rule(
  z.strictObject({
    operation: z.enum(["UPSERT", "REMOVE"]).optional().describe("UPSERT when unset."),
    value: text((expression) => (expression === "" ? undefined : celError(expression)))
      .optional()
      .describe("An expression (CEL) over the request's attributes; a text stands in quotes within it."),
  }),
  ({ operation = "UPSERT", value = "" }, report) => {
    if (operation === "UPSERT" && value === "") report(["value"], told("required-for", { what: "operation UPSERT" }));
    if (operation === "REMOVE" && value !== "") report(["value"], told("no-effect-with", { what: "operation REMOVE" }));
  },
);

const metricsSchema = z.strictObject({
  providers,
  overrides: z
    .array(
      z.strictObject({
        match: rule(
          z.strictObject({
            metric: z.enum(standardMetrics).optional(),
            customMetric: z.string().min(1).max(256).optional(),
            mode,
          }),
          ({ metric, customMetric }, report) => {
            if (metric !== undefined && customMetric !== undefined)
              report(["customMetric"], told("not-beside", { other: "metric" }));
          },
        )
          .optional()
          .describe("Unset: all of them, of both modes."),
        disabled: orNull(z.boolean()),
        tagOverrides: z.record(tagName, tagOverrideSchema).optional(),
      }),
    )
    .max(256)
    .optional()
    .describe("In order: later ones add to earlier ones, as the namespace's do to the mesh's."),
  reportingInterval: duration().optional(),
});

const accessLoggingSchema = z.strictObject({
  match: z.strictObject({ mode }).optional(),
  providers: providers.describe("Unset: those of what this adds to, at last defaultProviders of the MeshConfig."),
  disabled: orNull(z.boolean()),
  filter: z
    .strictObject({
      expression: text(celError).describe(
        "An expression (CEL) over the request's attributes: only what it is true of is logged, such as response.code >= 500.",
      ),
    })
    .optional(),
});

/** https://istio.io/latest/docs/reference/config/telemetry/ */
const telemetrySpecSchema = rule(
  z.strictObject({
    ...attachment,
    targetRefs: proxyTargets,
    tracing: z.array(tracingSchema).max(16).optional(),
    metrics: z.array(metricsSchema).max(16).optional(),
    accessLogging: z
      .array(accessLoggingSchema)
      .max(16)
      .optional()
      .describe("Logs beside the mesh's own, from which its graph is made and which always is."),
  }),
  checkAttachment,
);
export type TelemetrySpec = z.output<typeof telemetrySpecSchema>;

export const telemetry = defineKind({
  kind: "Telemetry",
  group: "telemetry.istio.io",
  version: "v1",
  aliases: ["v1alpha1"],
  plural: "telemetries",
  singular: "telemetry",
  shortNames: [],
  categories: ["istio-io", "telemetry-istio-io"],
  spec: telemetrySpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Rules",
      type: "string",
      description: "What of telemetry is ruled",
      priority: 0,
      value: (object) =>
        (["tracing", "metrics", "accessLogging"] as const)
          .filter((part) => ((object.spec as TelemetrySpec)[part] ?? []).length > 0)
          .join(","),
    },
  ],
});
