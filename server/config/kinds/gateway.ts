import { z } from "zod";
import { suggest } from "../../lib/suggest.ts";
import { defineKind } from "./define.ts";
import { labels, port, reportDuplicates } from "./fields.ts";
import { labelNameError, subdomainError } from "./metadata.ts";
import { isDnsLabel, isIpAddress, sniHostError } from "./names.ts";
import { isHttpProtocol, isTlsProtocol, protocolError } from "./protocol.ts";
import { notYet, orNull, type Report, rule, text } from "./schema.ts";

const protocolVersions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] as const;
const protocolVersion = () => z.enum(protocolVersions).optional();

const ecdhCurves = ["P-224", "P-256", "P-384", "P-521", "X25519", "X25519Kyber768Draft00", "X25519MLKEM768"] as const;

/** What BoringSSL has, but for pre-shared keys. https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings */
const cipherSuites = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-SHA",
  "AES256-SHA",
  "DES-CBC3-SHA",
];

/** Groups of equal preference stand in brackets: `[A|B]`. */
function cipherSuiteError(value: string): string | undefined {
  const names = value.replace(/^\[|\]$/g, "").split("|");
  const bad = names.find((name) => !cipherSuites.includes(name));
  if (bad === undefined) return undefined;
  const near = suggest(bad, cipherSuites);
  return `must be a cipher suite of TLS 1.2 such as ECDHE-RSA-AES128-GCM-SHA256${near ? `; did you mean ${near}?` : ""}, not ${JSON.stringify(bad)}`;
}

const spkiError = (value: string): string | undefined =>
  /^[A-Za-z0-9+/]{43}=$/.test(value) ? undefined : "must be a SHA-256 in base64, of 44 characters";
const hashError = (value: string): string | undefined =>
  /^(?:[0-9a-fA-F]{64}|(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$/.test(value)
    ? undefined
    : "must be a SHA-256 in hexadecimal, with or without colons";

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

const file = () => z.string().min(1).optional();
const credential = () =>
  text((value) => {
    const name = value.replace(/^kubernetes:\/\//, "");
    if (value.startsWith("sds://")) return "other SDS servers are not supported by Limpid: name a Secret";
    return (
      subdomainError(name) &&
      `must be the name of a Secret in the gateway workload's namespace, not ${JSON.stringify(value)}`
    );
  });

const serverTlsFields = z.strictObject({
  httpsRedirect: z.boolean().optional().describe("Answers every request with 301 to https."),
  mode: z
    .enum(["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"])
    .optional()
    .describe(
      "SIMPLE: TLS ends here. MUTUAL: and clients must show a certificate; OPTIONAL_MUTUAL: may. ISTIO_MUTUAL: with the mesh's certificates. PASSTHROUGH, also when unset: the connection goes on as it is, by its server name; AUTO_PASSTHROUGH: to the service that the name says.",
    ),
  serverCertificate: file().describe("File of the certificate on the gateway's machine, in PEM."),
  privateKey: file().describe("File of its key."),
  caCertificates: file().describe("With MUTUAL: file with the authorities of clients' certificates."),
  caCrl: file().describe("With MUTUAL: file of revoked certificates, in PEM."),
  credentialName: credential()
    .optional()
    .describe("Secret with the certificate, its key and, with MUTUAL, the authorities."),
  credentialNames: z
    .array(credential())
    .max(2)
    .optional()
    .describe("Two Secrets: a certificate with an RSA key and one with an ECDSA key."),
  caCertCredentialName: credential().optional().describe("Secret with the authorities, when they are in another."),
  tlsCertificates: z
    .array(
      z.strictObject({ serverCertificate: z.string().min(1), privateKey: z.string().min(1), caCertificates: file() }),
    )
    .max(2)
    .optional()
    .describe("Files of two certificates, as credentialNames."),
  subjectAltNames: z.array(z.string().min(1)).optional().describe("Of which a client's certificate must have one."),
  verifyCertificateSpki: z
    .array(text(spkiError))
    .optional()
    .describe("SHA-256 of public keys in base64, of which a client's must be one."),
  verifyCertificateHash: z
    .array(text(hashError))
    .optional()
    .describe("SHA-256 of certificates in hexadecimal, of which a client's must be one."),
  minProtocolVersion: protocolVersion().describe("TLSV1_2 when unset."),
  maxProtocolVersion: protocolVersion(),
  cipherSuites: z.array(text(cipherSuiteError)).max(64).optional().describe("Up to TLS 1.2; Envoy's own when unset."),
  ecdhCurves: z.array(z.enum(ecdhCurves)).optional(),
  insecureSkipVerify: orNull(z.boolean()).describe("With MUTUAL: takes certificates of any authority."),
});
type ServerTls = z.output<typeof serverTlsFields>;

const serverTlsSchema = rule(serverTlsFields, (tls, report) => {
  const sources = [
    ...(tls.serverCertificate || tls.privateKey ? (["serverCertificate"] as const) : []),
    ...(["credentialName", "credentialNames", "tlsCertificates"] as const).filter((key) => tls[key]?.length),
  ];
  const [first, second] = sources;
  if (second !== undefined)
    report([second], `must not be beside ${first}: a server has its certificates from one place`);
  const { mode = "PASSTHROUGH" } = tls;
  if (mode === "SIMPLE" || mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL") checkOwn(tls, mode, first, report);
  else for (const key of ownOnly) if (tls[key] !== undefined) report([key], `has no effect with mode ${mode}`);
});

/** What only a server has that ends TLS with a certificate of its own. */
const ownOnly = [
  "serverCertificate",
  "privateKey",
  "caCertificates",
  "caCrl",
  "credentialName",
  "credentialNames",
  "caCertCredentialName",
  "tlsCertificates",
  "subjectAltNames",
  "verifyCertificateSpki",
  "verifyCertificateHash",
  "minProtocolVersion",
  "maxProtocolVersion",
  "cipherSuites",
  "ecdhCurves",
  "insecureSkipVerify",
] as const;
const mutualOnly = [
  "caCertificates",
  "caCrl",
  "caCertCredentialName",
  "subjectAltNames",
  "verifyCertificateSpki",
  "verifyCertificateHash",
  "insecureSkipVerify",
] as const;

function checkOwn(tls: ServerTls, mode: string, source: string | undefined, report: Report): void {
  if (source === undefined) report(["credentialName"], `is required for ${mode}, or serverCertificate and privateKey`);
  if (source === "serverCertificate") {
    for (const key of ["serverCertificate", "privateKey"] as const)
      if (tls[key] === undefined) report([key], "is required beside the other");
  }
  if (mode === "SIMPLE") {
    for (const key of mutualOnly)
      if (tls[key] !== undefined) report([key], "has no effect with mode SIMPLE: no client's certificate is asked for");
  } else if (
    source !== undefined &&
    !source.startsWith("credential") &&
    !tls.caCertificates &&
    !tls.caCertCredentialName
  ) {
    report(["caCertificates"], `is required for ${mode}`);
  }
  const [min, max] = [versionRank(tls.minProtocolVersion), versionRank(tls.maxProtocolVersion)];
  if (min > 0 && max > 0 && min > max) report(["minProtocolVersion"], "is above maxProtocolVersion");
}

const versionRank = (version: string | undefined): number =>
  version ? protocolVersions.indexOf(version as "TLSV1_2") : 0;

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
  const { protocol } = port;
  const mode = tls?.mode ?? "PASSTHROUGH";
  if (isTlsProtocol(protocol)) {
    if (tls === undefined)
      report(["tls", "mode"], `is required for protocol ${protocol}, such as SIMPLE or PASSTHROUGH`);
    if (tls?.httpsRedirect) report(["tls", "httpsRedirect"], `has no effect for protocol ${protocol}`);
    if (mode === "AUTO_PASSTHROUGH" && protocol.toUpperCase() === "HTTPS")
      report(["tls", "mode"], "AUTO_PASSTHROUGH needs protocol TLS");
  } else if (isHttpProtocol(protocol)) {
    if (tls?.mode !== undefined) report(["tls", "mode"], `a server of protocol ${protocol} has no TLS; HTTPS has`);
    for (const key of ownOnly)
      if (tls?.[key] !== undefined) report(["tls", key], `a server of protocol ${protocol} has no TLS; HTTPS has`);
  } else if (tls !== undefined) {
    report(["tls"], `a server of protocol ${protocol} has no TLS; TLS has`);
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
