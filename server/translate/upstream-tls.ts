import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { DataSourceSchema, TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ConfigSource } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { CertificateValidationContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ClientTLSSettings } from "../model/specs.ts";
import { exactSan, mutualTlsClient, type SecretSource } from "./mutual-tls.ts";
import { sniOf } from "./names.ts";

/** What TLS is begun to. */
export interface TlsTarget {
  readonly hostname: string;
  readonly port: number;
  /** Empty: none. */
  readonly subset: string;
  /** Names that the service is known to have certificates for; none: not known. */
  readonly subjectAltNames: readonly string[];
  readonly systemCaPath: string;
  readonly trustDomains: readonly string[];
  /** What `credentialName` stands for. */
  readonly credentials?: ClientCredentials | undefined;
}

/** Names of secrets, as SDS has them. */
export interface ClientCredentials {
  readonly certificate: string | undefined;
  readonly authorities: string | undefined;
  readonly source: ConfigSource;
}

/** TLS that the client's proxy begins, with the mesh's certificates from `source`; undefined: none. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings */
export function upstreamTls(
  tls: ClientTLSSettings | undefined,
  target: TlsTarget,
  source: SecretSource,
): MessageInitShape<typeof TransportSocketSchema> | undefined {
  if (tls?.mode === undefined || tls.mode === "DISABLE") return undefined;
  if (tls.mode !== "ISTIO_MUTUAL") return originatedTls(tls, target);
  return mutualTlsClient({
    sni: tls.sni || sniOf(target.port, target.subset, target.hostname),
    subjectAltNames: tls.subjectAltNames?.length ? tls.subjectAltNames : target.subjectAltNames,
    trustDomains: target.trustDomains,
    source,
  });
}

/**
 * TLS to a server that the mesh knows nothing of, checked against the machine's authorities or a file's; MUTUAL shows a certificate from a file.
 * Istio takes an unset server name from the request's Host header; here it is the service's host, which TCP has too.
 */
function originatedTls(
  tls: ClientTLSSettings,
  { hostname, subjectAltNames, systemCaPath, credentials }: TlsTarget,
): MessageInitShape<typeof TransportSocketSchema> {
  const host = hostname.startsWith("*") ? "" : hostname;
  const known = tls.subjectAltNames?.length ? tls.subjectAltNames : subjectAltNames;
  const names = known.length > 0 ? known : [tls.sni || host].filter((name) => name !== "");
  const path = tls.caCertificates && tls.caCertificates !== "system" ? tls.caCertificates : systemCaPath;
  const validation: Validation = {
    matchTypedSubjectAltNames: names.map(exactSan),
    ...(tls.caCrl && { crl: file(tls.caCrl) }),
  };
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: anyPack(
        UpstreamTlsContextSchema,
        create(UpstreamTlsContextSchema, {
          sni: tls.sni || host,
          commonTlsContext: {
            ...ownCertificate(tls, credentials),
            ...(!tls.insecureSkipVerify && { validationContextType: trusted(validation, path, credentials) }),
          },
        }),
      ),
    },
  };
}

type Validation = Pick<
  MessageInitShape<typeof CertificateValidationContextSchema>,
  "matchTypedSubjectAltNames" | "crl"
>;
type Common = MessageInitShape<typeof CommonTlsContextSchema>;

function trusted(
  validation: Validation,
  path: string,
  credentials: ClientCredentials | undefined,
): Common["validationContextType"] {
  if (credentials?.authorities === undefined) {
    return { case: "validationContext", value: { ...validation, trustedCa: file(path) } };
  }
  const secret = { name: credentials.authorities, sdsConfig: credentials.source };
  return {
    case: "combinedValidationContext",
    value: { defaultValidationContext: validation, validationContextSdsSecretConfig: secret },
  };
}

function ownCertificate(
  { mode, clientCertificate, privateKey }: ClientTLSSettings,
  credentials: ClientCredentials | undefined,
): Pick<Common, "tlsCertificates" | "tlsCertificateSdsSecretConfigs"> {
  if (mode !== "MUTUAL") return {};
  if (credentials?.certificate !== undefined) {
    return {
      tlsCertificateSdsSecretConfigs: [{ name: credentials.certificate, sdsConfig: credentials.source }],
    };
  }
  if (!clientCertificate || !privateKey) return {};
  return { tlsCertificates: [{ certificateChain: file(clientCertificate), privateKey: file(privateKey) }] };
}

const file = (value: string): MessageInitShape<typeof DataSourceSchema> => ({
  specifier: { case: "filename", value },
});
