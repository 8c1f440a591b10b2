import { z } from "zod";
import { defineKind } from "./define.ts";
import { port, reportDuplicates } from "./fields.ts";
import { labelNameError } from "./metadata.ts";
import { isIpAddress, labelValueError, qualifiedKeyError } from "./names.ts";
import { notYet, type Report, rule, text } from "./schema.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServicePort */
const servicePortSchema = z.strictObject({
  name: text((value) => (value === "" ? undefined : labelNameError(value))).optional(),
  port: port(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional().describe("TCP when unset; only TCP is part of the mesh."),
  appProtocol: z.string().max(253).optional().describe("http, grpc, tcp, …; else the port's name says it (http-web)."),
  targetPort: z
    .union([port(), z.string()], { error: "must be a port number (1 to 65535) or the name of a port" })
    .superRefine((value, context) => {
      if (
        typeof value === "string" &&
        (value.length > 15 || !/[a-z]/.test(value) || labelNameError(value) !== undefined)
      ) {
        context.addIssue({
          code: "custom",
          message: "must be a port number, or a port's name: at most 15 lower-case letters, digits and '-'",
        });
      }
    })
    .optional()
    .describe("The workload's port; as port when unset."),
  nodePort: z.int().min(0).max(65_535).optional(),
});

const clusterIp = () =>
  text((value) =>
    value === "" || value === "None" || isIpAddress(value) ? undefined : 'must be an IP address, "None" or empty',
  );

const fields = z.strictObject({
  selector: z
    .record(text(qualifiedKeyError), text(labelValueError))
    .optional()
    .describe("Labels of the service's workloads."),
  ports: rule(z.array(servicePortSchema), (ports, report) => {
    ports.forEach((entry, index) => {
      if (ports.length > 1 && !entry.name) report([index, "name"], "is required when there are several ports");
    });
    reportDuplicates(
      ports,
      (entry) => entry.name || undefined,
      (entry, index, first) => report([index, "name"], `${entry.name} is the name of ports[${first}] too`),
    );
    reportDuplicates(
      ports,
      (entry) => `${entry.port}/${entry.protocol ?? "TCP"}`,
      (entry, index, first) => report([index, "port"], `${entry.port} is the port of ports[${first}] too`),
    );
  }).optional(),
  type: z
    .enum(["ClusterIP", "NodePort", "LoadBalancer"], {
      error: (issue) =>
        issue.input === "ExternalName"
          ? "ExternalName is not supported yet by Limpid; use a ServiceEntry with resolution DNS"
          : "must be one of ClusterIP, NodePort, LoadBalancer",
    })
    .optional(),
  clusterIP: clusterIp().optional(),
  clusterIPs: z.array(clusterIp()).optional(),
  ipFamilies: z.array(z.enum(["IPv4", "IPv6"])).optional(),
  ipFamilyPolicy: z.enum(["SingleStack", "PreferDualStack", "RequireDualStack"]).optional(),
  sessionAffinity: z.enum(["None"], { error: "must be None; ClientIP is not supported yet by Limpid" }).optional(),
  internalTrafficPolicy: z
    .enum(["Cluster"], { error: "must be Cluster; Local is not supported yet by Limpid" })
    .optional(),
  externalTrafficPolicy: z.enum(["Cluster", "Local", ""]).optional(),
  publishNotReadyAddresses: z.boolean().optional(),
  allocateLoadBalancerNodePorts: z.boolean().optional(),
  loadBalancerClass: z.string().optional(),
  healthCheckNodePort: z.int().min(0).max(65_535).optional(),
  externalName: notYet("use a ServiceEntry with resolution DNS"),
  externalIPs: notYet("use a Gateway"),
  loadBalancerIP: notYet("use a Gateway"),
  loadBalancerSourceRanges: notYet("use a Gateway"),
  sessionAffinityConfig: notYet(""),
  trafficDistribution: z
    .enum(["PreferClose", "PreferSameZone", "PreferSameNode"])
    .optional()
    .describe("Which endpoints go first: those in the caller's zone (PreferClose is its old name), or on its node."),
});
export type ServiceSpec = z.output<typeof fields>;

const serviceSpecSchema = rule(fields, (spec: ServiceSpec, report: Report) => {
  if ((spec.ports ?? []).length === 0 && spec.clusterIP !== "None") report(["ports"], "needs at least one entry");
});

export const service = defineKind({
  kind: "Service",
  group: "",
  version: "v1",
  aliases: [],
  plural: "services",
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  nameError: labelNameError,
  spec: serviceSpecSchema,
  columns: [
    {
      name: "Type",
      type: "string",
      description: "Type of the service",
      priority: 0,
      value: (object) => (object.spec as ServiceSpec).type ?? "ClusterIP",
    },
    {
      name: "Cluster-IP",
      type: "string",
      description: "Virtual IP address",
      priority: 0,
      value: (object) => (object.spec as ServiceSpec).clusterIP || "<none>",
    },
    {
      name: "Port(s)",
      type: "string",
      description: "Ports and protocols",
      priority: 0,
      value: (object) =>
        ((object.spec as ServiceSpec).ports ?? [])
          .map((entry) => `${entry.port}/${entry.protocol ?? "TCP"}`)
          .join(",") || "<none>",
    },
    {
      name: "Selector",
      type: "string",
      description: "Labels of the workloads",
      priority: 1,
      value: (object) =>
        Object.entries((object.spec as ServiceSpec).selector ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(",") || "<none>",
    },
  ],
});
