import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { port, reportDuplicates } from "./fields.ts";
import { labelNameError } from "./metadata.ts";
import { isIpAddress, labelValueError, qualifiedKeyError } from "./names.ts";
import { notYet, notYetUse, type Report, rule, says, text } from "./schema.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServicePort */
const servicePortSchema = z.strictObject({
  name: text((value) => (value === "" ? undefined : labelNameError(value))).optional(),
  port: port(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).optional().describe("TCP when unset; only TCP is part of the mesh."),
  appProtocol: z.string().max(253).optional().describe("http, grpc, tcp, …; else the port's name says it (http-web)."),
  targetPort: rule(z.union([port(), z.string()], { error: says(told("port-or-name", {})) }), (value, report) => {
    if (typeof value !== "string") return;
    if (value.length > 15 || !/[a-z]/.test(value) || labelNameError(value) !== undefined)
      report([], told("port-or-name-form", {}));
  })
    .optional()
    .describe("The workload's port; as port when unset."),
  nodePort: z.int().min(0).max(65_535).optional(),
});

const clusterIp = () =>
  text((value) => (value === "" || value === "None" || isIpAddress(value) ? undefined : told("cluster-ip", {})));

const fields = z.strictObject({
  selector: z
    .record(text(qualifiedKeyError), text(labelValueError))
    .optional()
    .describe("Labels of the service's workloads."),
  ports: rule(z.array(servicePortSchema), (ports, report) => {
    ports.forEach((entry, index) => {
      if (ports.length > 1 && !entry.name) report([index, "name"], told("required-of-several", {}));
    });
    reportDuplicates(
      ports,
      (entry) => entry.name || undefined,
      (entry, index, first) =>
        report([index, "name"], told("name-of-too", { name: String(entry.name), other: `ports[${first}]` })),
    );
    reportDuplicates(
      ports,
      (entry) => `${entry.port}/${entry.protocol ?? "TCP"}`,
      (entry, index, first) =>
        report([index, "port"], told("port-of-too", { port: entry.port, other: `ports[${first}]` })),
    );
  }).optional(),
  type: z
    .enum(["ClusterIP", "NodePort", "LoadBalancer"], {
      error: (issue) =>
        issue.input === "ExternalName"
          ? says(told("external-name", {}))
          : says(told("one-of", { values: "ClusterIP, NodePort, LoadBalancer" })),
    })
    .optional(),
  clusterIP: clusterIp().optional(),
  clusterIPs: z.array(clusterIp()).optional(),
  ipFamilies: z.array(z.enum(["IPv4", "IPv6"])).optional(),
  ipFamilyPolicy: z.enum(["SingleStack", "PreferDualStack", "RequireDualStack"]).optional(),
  sessionAffinity: z
    .enum(["None"], { error: says(told("only-so-far", { value: "None", other: "ClientIP" })) })
    .optional(),
  internalTrafficPolicy: z
    .enum(["Cluster"], { error: says(told("only-so-far", { value: "Cluster", other: "Local" })) })
    .optional(),
  externalTrafficPolicy: z.enum(["Cluster", "Local", ""]).optional(),
  publishNotReadyAddresses: z.boolean().optional(),
  allocateLoadBalancerNodePorts: z.boolean().optional(),
  loadBalancerClass: z.string().optional(),
  healthCheckNodePort: z.int().min(0).max(65_535).optional(),
  externalName: notYet(told("external-name", {})),
  externalIPs: notYetUse("Gateway"),
  loadBalancerIP: notYetUse("Gateway"),
  loadBalancerSourceRanges: notYetUse("Gateway"),
  sessionAffinityConfig: notYet(),
  trafficDistribution: z
    .enum(["PreferClose", "PreferSameZone", "PreferSameNode"])
    .optional()
    .describe("Which endpoints go first: those in the caller's zone (PreferClose is its old name), or on its node."),
});
export type ServiceSpec = z.output<typeof fields>;

const serviceSpecSchema = rule(fields, (spec: ServiceSpec, report: Report) => {
  if ((spec.ports ?? []).length === 0 && spec.clusterIP !== "None") report(["ports"], told("needs-entry", {}));
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
