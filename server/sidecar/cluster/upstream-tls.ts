import { readFileSync, statSync } from "node:fs";
import { isIP, type TcpSocketConnectOpts } from "node:net";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { DataSource, TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type CertificateValidationContext,
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcher,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { UpstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { compileString } from "../match/string-matcher.ts";

/** TLS towards a cluster's endpoints. */
export interface UpstreamTls {
  /** Equal for equal settings. */
  readonly key: string;
  readonly serverName: string;
  readonly protocols: readonly string[];
  /** Undefined: any certificate is taken, as Envoy does without a validation context. */
  readonly verify: { readonly names: readonly ((certificate: PeerCertificate) => boolean)[] } | undefined;
  readonly context: SecureContext;
}

/** Throws an Error naming the field. Undefined: no TLS. Unsupported fields were refused before. */
export function compileUpstreamTls(socket: TransportSocket | undefined): UpstreamTls | undefined {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const config = any && anyUnpack(any, UpstreamTlsContextSchema);
  if (any === undefined || config === undefined) return undefined;
  const common = config.commonTlsContext;
  const validation =
    common?.validationContextType.case === "validationContext" ? common.validationContextType.value : undefined;
  const path = "transport_socket.typed_config.common_tls_context.validation_context";
  const ca = validation?.trustedCa && readCa(validation.trustedCa, `${path}.trusted_ca`);
  if (validation && ca === undefined) throw new Error(`${path}.trusted_ca: required`);
  // Node takes what is no PEM for no authority, and nothing at all for its own built-in ones.
  if (ca && !ca.pem.includes("-----BEGIN ")) throw new Error(`${path}.trusted_ca: holds no certificate in PEM form`);
  return {
    key: `${Buffer.from(any.value).toString("base64")} ${ca?.version ?? ""}`,
    serverName: config.sni,
    protocols: common?.alpnProtocols ?? [],
    verify: validation && { names: namesOf(validation, path) },
    context: contextFor(ca, path),
  };
}

/** Begins a TLS connection; `secureConnect` says that the certificate was good. */
export function connectTls(tls: UpstreamTls, options: TcpSocketConnectOpts & { noDelay: boolean }): TLSSocket {
  const { names } = tls.verify ?? { names: [] };
  return connect({
    ...options,
    secureContext: tls.context,
    // RFC 6066, 3: an address is no server name.
    ...(tls.serverName !== "" && isIP(tls.serverName) === 0 && { servername: tls.serverName }),
    ...(tls.protocols.length > 0 && { ALPNProtocols: [...tls.protocols] }),
    rejectUnauthorized: tls.verify !== undefined,
    checkServerIdentity: (_, certificate) =>
      names.length === 0 || names.some((matches) => matches(certificate))
        ? undefined
        : new Error(`the certificate is for ${certificate.subjectaltname ?? "no name"}`),
  });
}

interface Ca {
  readonly pem: string;
  /** Equal for equal contents. */
  readonly version: string;
}

function readCa(source: DataSource, path: string): Ca {
  const { specifier } = source;
  switch (specifier.case) {
    case "filename":
      try {
        const { mtimeMs, size } = statSync(specifier.value);
        return { pem: readFileSync(specifier.value, "utf8"), version: `${specifier.value} ${mtimeMs} ${size}` };
      } catch (cause) {
        throw new Error(
          `${path}.filename: ${specifier.value} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
        );
      }
    case "inlineString":
      return { pem: specifier.value, version: "" };
    case "inlineBytes":
      return { pem: Buffer.from(specifier.value).toString("utf8"), version: "" };
    default:
      throw new Error(`${path}: filename, inline_string or inline_bytes is required`);
  }
}

/** Clusters share a machine's authorities, which take a while to parse. */
const contexts = new Map<string, SecureContext>();
const maxContexts = 64;

function contextFor(ca: Ca | undefined, path: string): SecureContext {
  const key = ca === undefined ? "none" : ca.version || ca.pem;
  let context = contexts.get(key);
  if (context === undefined) {
    try {
      context = createSecureContext({ minVersion: "TLSv1.2", ...(ca && { ca: ca.pem }) });
    } catch (cause) {
      throw new Error(`${path}.trusted_ca: ${(cause as Error).message}`);
    }
    if (contexts.size >= maxContexts) contexts.clear();
    contexts.set(key, context);
  }
  return context;
}

const namesOf = (validation: CertificateValidationContext, path: string) =>
  validation.matchTypedSubjectAltNames.map((matcher, index) => {
    try {
      return nameMatcher(matcher);
    } catch (cause) {
      throw new Error(`${path}.match_typed_subject_alt_names[${index}].${(cause as Error).message}`);
    }
  });

const prefixes: Partial<Record<SanType, string>> = {
  [SanType.DNS]: "DNS:",
  [SanType.URI]: "URI:",
  [SanType.IP_ADDRESS]: "IP Address:",
  [SanType.EMAIL]: "email:",
};

function nameMatcher({ sanType, matcher }: SubjectAltNameMatcher): (certificate: PeerCertificate) => boolean {
  const prefix = prefixes[sanType];
  if (prefix === undefined) throw new Error(`san_type: ${SanType[sanType]} is not supported`);
  if (matcher === undefined) throw new Error("matcher: required");
  // An exact DNS name is met by a wildcard of the certificate's, too: RFC 6125, 6.4.3.
  if (sanType === SanType.DNS && matcher.matchPattern.case === "exact") {
    const name = matcher.matchPattern.value;
    return (certificate) =>
      certificate.subjectaltname !== undefined && checkServerIdentity(name, certificate) === undefined;
  }
  const test = compileString(matcher);
  return ({ subjectaltname = "" }) =>
    subjectaltname.split(", ").some((entry) => entry.startsWith(prefix) && test(entry.slice(prefix.length)));
}
