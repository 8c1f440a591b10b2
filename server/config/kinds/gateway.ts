import { z } from "zod";
import { defineKind } from "./define.ts";
import { labels, port, reportDuplicates } from "./fields.ts";
import { labelNameError } from "./metadata.ts";
import { isDnsLabel, isIpAddress, wildcardHostError } from "./names.ts";
import { isHttpProtocol, protocolError } from "./protocol.ts";
import { notYet, rule, text } from "./schema.ts";

const noTls = "Limpid's gateways serve plain HTTP only";

const serverPortSchema = z.strictObject({
  number: port(),
  name: z.string().min(1),
  protocol: text((value) => {
    const wrong = protocolError(value);
    if (wrong !== undefined) return wrong;
    return isHttpProtocol(value)
      ? undefined
      : `${value} is not supported yet by Limpid; ${noTls} (HTTP, HTTP2, GRPC, GRPC-WEB)`;
  }),
  targetPort: z.never({ error: "has no effect on a Gateway: leave it out" }).optional(),
});

/** A host, or `<namespace>/<host>` with a namespace, "." or "*": whose VirtualServices may bind to it, and for which host. */
function serverHostError(value: string): string | undefined {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? "*" : value.slice(0, slash);
  if (namespace !== "*" && namespace !== "." && !isDnsLabel(namespace)) {
    return `must be a host, or <namespace>/<host> with "*", "." or a namespace, not ${JSON.stringify(value)}`;
  }
  return wildcardHostError(value.slice(slash + 1));
}

const serverTlsSchema = z.strictObject({
  httpsRedirect: z.boolean().optional().describe("Answers every request with 301 to https."),
  mode: notYet(noTls),
  serverCertificate: notYet(noTls),
  privateKey: notYet(noTls),
  caCertificates: notYet(noTls),
  caCrl: notYet(noTls),
  credentialName: notYet(noTls),
  credentialNames: notYet(noTls),
  caCertCredentialName: notYet(noTls),
  tlsCertificates: notYet(noTls),
  subjectAltNames: notYet(noTls),
  verifyCertificateSpki: notYet(noTls),
  verifyCertificateHash: notYet(noTls),
  minProtocolVersion: notYet(noTls),
  maxProtocolVersion: notYet(noTls),
  cipherSuites: notYet(noTls),
  ecdhCurves: notYet(noTls),
  insecureSkipVerify: notYet(noTls),
});

const serverSchema = z.strictObject({
  port: serverPortSchema,
  hosts: z.array(text(serverHostError)).min(1).describe("Hosts that VirtualServices may bind to here."),
  name: z.string().optional(),
  bind: text((value) => {
    if (value.startsWith("unix://")) return "unix domain sockets are not supported yet by Limpid";
    return value === "" || isIpAddress(value) ? undefined : `must be an IP address, not ${JSON.stringify(value)}`;
  }).optional(),
  tls: serverTlsSchema.optional(),
  defaultEndpoint: notYet(""),
});

/** https://istio.io/latest/docs/reference/config/networking/gateway/ */
const gatewaySpecSchema = z.strictObject({
  selector: labels().optional().describe("Labels of the gateway workloads that serve this."),
  servers: rule(z.array(serverSchema).min(1), (servers, report) =>
    reportDuplicates(
      servers,
      (server) => server.port.name,
      (server, index, first) =>
        report([index, "port", "name"], `${server.port.name} is the name of servers[${first}].port too`),
    ),
  ),
});
export type GatewaySpec = z.output<typeof gatewaySpecSchema>;

export const gateway = defineKind({
  kind: "Gateway",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "gateways",
  singular: "gateway",
  shortNames: ["gw"],
  categories: ["istio-io", "networking-istio-io"],
  nameError: labelNameError,
  spec: gatewaySpecSchema,
  columns: [
    {
      name: "Selector",
      type: "string",
      description: "Labels of the gateway workloads",
      priority: 1,
      value: (object) =>
        Object.entries((object.spec as GatewaySpec).selector ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(","),
    },
    {
      name: "Servers",
      type: "string",
      description: "Ports and hosts",
      priority: 1,
      value: (object) =>
        (object.spec as GatewaySpec).servers
          .map((server) => `${server.port.number}:${server.hosts.join("|")}`)
          .join(","),
    },
  ],
});
