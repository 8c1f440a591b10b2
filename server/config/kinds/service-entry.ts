import { z } from "zod";
import { defineKind } from "./define.ts";
import { exportTo, labels, port, portOrNone, reportDuplicates } from "./fields.ts";
import { fqdnError, ipOrCidrError, isIpAddress, wildcardHostError } from "./names.ts";
import { isHttpProtocol, isTlsProtocol, protocolError } from "./protocol.ts";
import { type Report, rule, text } from "./schema.ts";
import { list } from "./virtual-service.ts";
import { portNameError, workloadEntrySpecSchema } from "./workload-entry.ts";

const servicePortSchema = z.strictObject({
  number: port(),
  name: text(portNameError),
  protocol: text((value) => (value === "" ? undefined : protocolError(value))).optional(),
  targetPort: portOrNone().optional(),
});

const portsSchema = rule(z.array(servicePortSchema).max(256), (ports, report) => {
  reportDuplicates(
    ports,
    (entry) => entry.name,
    (entry, index, first) => report([index, "name"], `${entry.name} is the name of ports[${first}] too`),
  );
  reportDuplicates(
    ports,
    (entry) => entry.number,
    (entry, index, first) => report([index, "number"], `${entry.number} is the number of ports[${first}] too`),
  );
});

const fields = z.strictObject({
  hosts: z
    .array(text((host) => (host === "*" ? '"*" stands for too much here: name a domain' : wildcardHostError(host))))
    .min(1)
    .max(256),
  addresses: z.array(text(ipOrCidrError)).max(256).optional(),
  ports: portsSchema.optional(),
  location: z.enum(["MESH_EXTERNAL", "MESH_INTERNAL"]).optional().describe("MESH_EXTERNAL when unset."),
  resolution: z
    .enum(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"], {
      error: (issue) =>
        issue.input === "DYNAMIC_DNS"
          ? "DYNAMIC_DNS is not supported yet by Limpid; use DNS"
          : "must be one of NONE, STATIC, DNS, DNS_ROUND_ROBIN",
    })
    .optional()
    .describe("NONE when unset."),
  endpoints: z.array(workloadEntrySpecSchema).max(4_096).optional(),
  workloadSelector: z.strictObject({ labels: labels().optional() }).optional(),
  exportTo: exportTo({ none: true }).optional(),
  subjectAltNames: z.array(z.string()).optional(),
});
export type ServiceEntrySpec = z.output<typeof fields>;

/** https://istio.io/latest/docs/reference/config/networking/service-entry/ */
const serviceEntrySpecSchema = rule(fields, checkServiceEntry);

function checkServiceEntry(entry: ServiceEntrySpec, report: Report): void {
  const resolution = entry.resolution ?? "NONE";
  const endpoints = entry.endpoints ?? [];
  const ports = entry.ports ?? [];
  if (entry.workloadSelector !== undefined && entry.endpoints !== undefined) {
    report(["workloadSelector"], "can't be together with endpoints");
  }
  if (resolution === "NONE" && endpoints.length > 0) report(["endpoints"], "must be empty for resolution NONE");
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1)
    report(["endpoints"], "must be at most one for resolution DNS_ROUND_ROBIN");
  const isDns = resolution === "DNS" || resolution === "DNS_ROUND_ROBIN";
  (entry.addresses ?? []).forEach((address, index) => {
    if (isDns && address.includes("/")) report(["addresses", index], "a CIDR block needs resolution NONE or STATIC");
  });
  if (isDns && endpoints.length === 0) {
    entry.hosts.forEach((host, index) => {
      if (fqdnError(host) !== undefined && wildcardHostError(host) === undefined) {
        report(
          ["hosts", index],
          `a wildcard can't be resolved: resolution ${resolution} without endpoints needs full names`,
        );
      }
    });
  }
  const names = new Set(ports.map((entry) => entry.name));
  endpoints.forEach((endpoint, index) => {
    if (
      resolution === "STATIC" &&
      endpoint.address !== undefined &&
      fqdnError(endpoint.address) === undefined &&
      !isIpAddress(endpoint.address)
    ) {
      report(["endpoints", index, "address"], "must be an IP address for resolution STATIC");
    }
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!names.has(name)) report(["endpoints", index, "ports", name], "is not the name of one of spec.ports");
    }
  });
  if (resolution !== "NONE" && entry.hosts.length > 1) {
    ports.forEach((entry, index) => {
      const protocol = entry.protocol ?? "";
      if (protocolError(protocol) === undefined && !isHttpProtocol(protocol) && !isTlsProtocol(protocol)) {
        report(
          ["ports", index, "protocol"],
          "must be HTTP or TLS when there are several hosts, which nothing else can tell apart",
        );
      }
    });
  }
}

export const serviceEntry = defineKind({
  kind: "ServiceEntry",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "serviceentries",
  singular: "serviceentry",
  shortNames: ["se"],
  categories: ["istio-io", "networking-istio-io"],
  spec: serviceEntrySpecSchema,
  columns: [
    {
      name: "Hosts",
      type: "string",
      description: "The hosts of the service",
      priority: 0,
      value: (object) => list((object.spec as ServiceEntrySpec).hosts),
    },
    {
      name: "Location",
      type: "string",
      description: "Outside or inside the mesh",
      priority: 0,
      value: (object) => (object.spec as ServiceEntrySpec).location ?? "",
    },
    {
      name: "Resolution",
      type: "string",
      description: "How its addresses are found",
      priority: 0,
      value: (object) => (object.spec as ServiceEntrySpec).resolution ?? "",
    },
  ],
});
