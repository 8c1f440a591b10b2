import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { duration, port } from "./fields.ts";
import { rule, says } from "./schema.ts";

const httpSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(2_000)
    .startsWith("/", says(told("begins-with", { what: "/" }))),
  host: z.string().min(1).max(253).optional().describe("Of the request; default the service's hostname."),
  expectedStatuses: z
    .array(z.int().min(100).max(599))
    .min(1)
    .max(100)
    .optional()
    .describe("Codes that mean healthy; default 200."),
});

/**
 * How the endpoints of a service are probed by proxies that offer themselves for it (HDS); endpoints that fail get no requests.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/health/v3/hds.proto
 */
const healthCheckSpecSchema = rule(
  z.strictObject({
    host: z.string().min(1).max(253).describe("Of the service; a short name is of this namespace."),
    port: port().optional().describe("Of the service; unset: every port of it."),
    http: httpSchema.optional(),
    tcp: z.strictObject({}).optional().describe("An endpoint that takes the connection is healthy."),
    interval: duration().optional().describe("Between two probes of one endpoint; default 5s."),
    timeout: duration().optional().describe("Of one probe; default 1s."),
    healthyThreshold: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe("Probes in a row after which it is healthy; default 1."),
    unhealthyThreshold: z.int().min(1).max(100).optional().describe("… after which it is not; default 2."),
    probers: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe(
        "How many proxies probe each endpoint, if there are as many; most of them must find it unhealthy. Default 3.",
      ),
  }),
  (spec, report) => {
    if ((spec.http === undefined) === (spec.tcp === undefined))
      report(["http"], told("set-either", { fields: "http, tcp" }));
  },
);
export type HealthCheckSpec = z.output<typeof healthCheckSpecSchema>;

export const healthCheck = defineKind({
  kind: "HealthCheck",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "healthchecks",
  singular: "healthcheck",
  shortNames: ["hc"],
  categories: ["limpid"],
  spec: healthCheckSpecSchema,
  columns: [
    {
      name: "Host",
      type: "string",
      description: "The service whose endpoints are probed",
      priority: 0,
      value: (object) => (object.spec as HealthCheckSpec).host,
    },
    {
      name: "Probe",
      type: "string",
      description: "What is asked of them",
      priority: 0,
      value: (object) => (object.spec as HealthCheckSpec).http?.path ?? "tcp",
    },
  ],
});
