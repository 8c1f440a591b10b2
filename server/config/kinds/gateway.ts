import { z } from "zod";
import { defineKind } from "./define.ts";
import { labels, port, reportDuplicates } from "./fields.ts";
import { labelNameError } from "./metadata.ts";
import { isDnsLabel, isIpAddress, sniHostError } from "./names.ts";
import { isHttpProtocol, isTlsProtocol, protocolError } from "./protocol.ts";
import { notYet, rule, text } from "./schema.ts";

const noTls = "Limpid's gateways have no certificate to show: they pass TLS through";

const serverPortSchema = z.strictObject({
  number: port(),
  name: z.string().min(1),
  protocol: text(
    (value) => protocolError(value) ?? (value.toUpperCase() === "UDP" ? "UDP is not supported by gateways" : undefined),
  ),
  targetPort: z.never({ error: "has no effect on a Gateway: leave it out" }).optional(),
});

/** A host, or `<namespace>/<host>` with a namespace, "." or "*": whose VirtualServices may bind to it, and for which host. */
function serverHostError(value: string): string | undefined {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? "*" : value.slice(0, slash);
  if (namespace !== "*" && namespace !== "." && !isDnsLabel(namespace)) {
    return `must be a host, or <namespace>/<host> with "*", "." or a namespace, not ${JSON.stringify(value)}`;
  }
  const host = value.slice(slash + 1);
  const error = sniHostError(host);
  if (error !== undefined || host === "*" || host.includes(".") || isIpAddress(host)) return error;
  return `must be a full name such as "${host}.example.com": clients outside of the mesh know no short ones`;
}

const tlsModes = new Set(["SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"]);

const serverTlsSchema = z.strictObject({
  httpsRedirect: z.boolean().optional().describe("Answers every request with 301 to https."),
  mode: z
    .enum(["PASSTHROUGH"], {
      error: (issue) =>
        typeof issue.input === "string" && tlsModes.has(issue.input)
          ? `${issue.input} is not supported yet by Limpid; ${noTls} (PASSTHROUGH)`
          : "must be PASSTHROUGH",
    })
    .optional()
    .describe("PASSTHROUGH, also when unset: the connection goes on as it is, by its server name."),
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

const serverFields = z.strictObject({
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

const serverSchema = rule(serverFields, ({ port, tls }, report) => {
  const protocol = port.protocol;
  if (isTlsProtocol(protocol)) {
    if (tls === undefined) report(["tls", "mode"], `is required for protocol ${protocol}; ${noTls} (PASSTHROUGH)`);
    if (tls?.httpsRedirect) report(["tls", "httpsRedirect"], `has no effect for protocol ${protocol}`);
  } else if (isHttpProtocol(protocol)) {
    if (tls?.mode !== undefined) report(["tls", "mode"], `a server of protocol ${protocol} has no TLS`);
  } else if (tls !== undefined) {
    report(["tls"], `a server of protocol ${protocol} has no TLS; use protocol TLS to pass it through`);
  }
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
