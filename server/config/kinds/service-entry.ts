import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { exportTo, labels, port, portOrNone, reportDuplicates } from "./fields.ts";
import { fqdnError, ipOrCidrError, isIpAddress, wildcardHostError } from "./names.ts";
import { isHttpProtocol, isTlsProtocol, protocolError } from "./protocol.ts";
import { type Report, rule, says, text } from "./schema.ts";
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
    (entry, index, first) =>
      report([index, "name"], told("name-of-too", { name: entry.name, other: `ports[${first}]` })),
  );
  reportDuplicates(
    ports,
    (entry) => entry.number,
    (entry, index, first) =>
      report([index, "number"], told("number-of-too", { number: entry.number, other: `ports[${first}]` })),
  );
});

const fields = z.strictObject({
  hosts: z
    .array(text((host) => (host === "*" ? told("star-too-much", {}) : wildcardHostError(host))))
    .min(1)
    .max(256),
  addresses: z.array(text(ipOrCidrError)).max(256).optional(),
  ports: portsSchema.optional(),
  location: z.enum(["MESH_EXTERNAL", "MESH_INTERNAL"]).optional().describe("MESH_EXTERNAL when unset."),
  resolution: z
    .enum(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"], {
      error: (issue) =>
        issue.input === "DYNAMIC_DNS"
          ? says(told("value-not-yet-use", { value: "DYNAMIC_DNS", instead: "DNS" }))
          : says(told("one-of", { values: "NONE, STATIC, DNS, DNS_ROUND_ROBIN" })),
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
    report(["workloadSelector"], told("not-beside", { other: "endpoints" }));
  }
  if (resolution === "NONE" && endpoints.length > 0)
    report(["endpoints"], told("empty-for", { what: "resolution: NONE" }));
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1)
    report(["endpoints"], told("one-for", { what: "resolution: DNS_ROUND_ROBIN" }));
  const isDns = resolution === "DNS" || resolution === "DNS_ROUND_ROBIN";
  (entry.addresses ?? []).forEach((address, index) => {
    if (isDns && address.includes("/")) report(["addresses", index], told("cidr-resolution", {}));
  });
  if (isDns && endpoints.length === 0) {
    entry.hosts.forEach((host, index) => {
      if (fqdnError(host) !== undefined && wildcardHostError(host) === undefined) {
        report(["hosts", index], told("wildcard-resolution", { resolution }));
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
      report(["endpoints", index, "address"], told("ip-for-static", {}));
    }
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!names.has(name)) report(["endpoints", index, "ports", name], told("no-port-name", {}));
    }
  });
  if (resolution !== "NONE" && entry.hosts.length > 1) {
    ports.forEach((entry, index) => {
      const protocol = entry.protocol ?? "";
      if (protocolError(protocol) === undefined && !isHttpProtocol(protocol) && !isTlsProtocol(protocol)) {
        report(["ports", index, "protocol"], told("hosts-apart", {}));
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
