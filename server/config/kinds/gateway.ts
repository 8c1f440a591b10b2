import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { suggest } from "../../lib/suggest.ts";
import { defineKind } from "./define.ts";
import { labels, port, reportDuplicates } from "./fields.ts";
import { labelNameError, subdomainError } from "./metadata.ts";
import { isDnsLabel, isIpAddress, sniHostError } from "./names.ts";
import { isHttpProtocol, isTlsProtocol, protocolError } from "./protocol.ts";
import { notYet, orNull, type Report, rule, says, text } from "./schema.ts";

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
function cipherSuiteError(value: string): Told | undefined {
  const names = value.replace(/^\[|\]$/g, "").split("|");
  const bad = names.find((name) => !cipherSuites.includes(name));
  if (bad === undefined) return undefined;
  const near = suggest(bad, cipherSuites);
  const wrong = { value: JSON.stringify(bad) };
  return near ? told("cipher-suite-near", { ...wrong, near }) : told("cipher-suite", wrong);
}

const spkiError = (value: string): Told | undefined =>
  /^[A-Za-z0-9+/]{43}=$/.test(value) ? undefined : told("sha-base64", {});
const hashError = (value: string): Told | undefined =>
  /^(?:[0-9a-fA-F]{64}|(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$/.test(value) ? undefined : told("sha-hex", {});

const serverPortSchema = z.strictObject({
  number: port(),
  name: z.string().min(1),
  protocol: text(
    (value) => protocolError(value) ?? (value.toUpperCase() === "UDP" ? told("udp-gateway", {}) : undefined),
  ),
  targetPort: z.never({ error: says(told("no-effect-on", { kind: "Gateway" })) }).optional(),
});

/** A host, or `<namespace>/<host>` with a namespace, "." or "*": whose VirtualServices may bind to it, and for which host. */
function serverHostError(value: string): Told | undefined {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? "*" : value.slice(0, slash);
  if (namespace !== "*" && namespace !== "." && !isDnsLabel(namespace)) {
    return told("server-host", { form: "<namespace>/<host>", forms: '"*", "."', value: JSON.stringify(value) });
  }
  const host = value.slice(slash + 1);
  const error = sniHostError(host);
  if (error !== undefined || host === "*" || host.includes(".") || isIpAddress(host)) return error;
  return told("full-name", { host });
}

const file = () => z.string().min(1).optional();
const credential = () =>
  text((value) => {
    const name = value.replace(/^kubernetes:\/\//, "");
    if (value.startsWith("sds://")) return told("other-sds", {});
    return subdomainError(name) && told("secret-of-gateway", { value: JSON.stringify(value) });
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
  if (second !== undefined) report([second], told("certificates-twice", { other: String(first) }));
  const { mode = "PASSTHROUGH" } = tls;
  if (mode === "SIMPLE" || mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL") checkOwn(tls, mode, first, report);
  else
    for (const key of ownOnly)
      if (tls[key] !== undefined) report([key], told("no-effect-with", { what: `mode: ${mode}` }));
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
  if (source === undefined)
    report(
      ["credentialName"],
      told("required-for-or", { what: `mode: ${mode}`, other: "serverCertificate, privateKey" }),
    );
  if (source === "serverCertificate") {
    for (const key of ["serverCertificate", "privateKey"] as const)
      if (tls[key] === undefined) report([key], told("required-beside", {}));
  }
  if (mode === "SIMPLE") {
    for (const key of mutualOnly) if (tls[key] !== undefined) report([key], told("no-effect-simple", {}));
  } else if (
    source !== undefined &&
    !source.startsWith("credential") &&
    !tls.caCertificates &&
    !tls.caCertCredentialName
  ) {
    report(["caCertificates"], told("required-for", { what: `mode: ${mode}` }));
  }
  const [min, max] = [versionRank(tls.minProtocolVersion), versionRank(tls.maxProtocolVersion)];
  if (min > 0 && max > 0 && min > max)
    report(["minProtocolVersion"], told("is-above", { other: "maxProtocolVersion" }));
}

const versionRank = (version: string | undefined): number =>
  version ? protocolVersions.indexOf(version as "TLSV1_2") : 0;

const serverFields = z.strictObject({
  port: serverPortSchema,
  hosts: z.array(text(serverHostError)).min(1).describe("Hosts that VirtualServices may bind to here."),
  name: z.string().optional(),
  bind: text((value) => {
    if (value.startsWith("unix://")) return told("unix-socket", {});
    return value === "" || isIpAddress(value) ? undefined : told("ip-address", { value: JSON.stringify(value) });
  }).optional(),
  tls: serverTlsSchema.optional(),
  defaultEndpoint: notYet(),
});

const serverSchema = rule(serverFields, ({ port, tls }, report) => {
  const { protocol } = port;
  const mode = tls?.mode ?? "PASSTHROUGH";
  if (isTlsProtocol(protocol)) {
    if (tls === undefined) report(["tls", "mode"], told("tls-mode-required", { protocol }));
    if (tls?.httpsRedirect) report(["tls", "httpsRedirect"], told("no-effect-with", { what: `protocol: ${protocol}` }));
    if (mode === "AUTO_PASSTHROUGH" && protocol.toUpperCase() === "HTTPS")
      report(["tls", "mode"], told("auto-passthrough", {}));
  } else if (isHttpProtocol(protocol)) {
    if (tls?.mode !== undefined) report(["tls", "mode"], told("server-without-tls", { protocol, other: "HTTPS" }));
    for (const key of ownOnly)
      if (tls?.[key] !== undefined) report(["tls", key], told("server-without-tls", { protocol, other: "HTTPS" }));
  } else if (tls !== undefined) {
    report(["tls"], told("server-without-tls", { protocol, other: "TLS" }));
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
        report(
          [index, "port", "name"],
          told("name-of-too", { name: server.port.name, other: `servers[${first}].port` }),
        ),
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
