import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { DataSourceSchema, TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ConfigSource } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type {
  CertificateValidationContextSchema,
  TlsCertificateSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { UpstreamTlsContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ClientTLSSettings } from "../model/specs.ts";
import { exactSan, mutualTlsClient } from "./mutual-tls.ts";
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
  readonly trustDomain: string;
}

/** TLS that the client's proxy begins, with the mesh's certificates from `source`; undefined: none. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings */
export function upstreamTls(
  tls: ClientTLSSettings | undefined,
  target: TlsTarget,
  source: ConfigSource,
): MessageInitShape<typeof TransportSocketSchema> | undefined {
  if (tls?.mode === undefined || tls.mode === "DISABLE") return undefined;
  if (tls.mode !== "ISTIO_MUTUAL") return originatedTls(tls, target);
  return mutualTlsClient({
    sni: tls.sni || sniOf(target.port, target.subset, target.hostname),
    subjectAltNames: tls.subjectAltNames?.length ? tls.subjectAltNames : target.subjectAltNames,
    trustDomain: target.trustDomain,
    source,
  });
}

/**
 * TLS to a server that the mesh knows nothing of, checked against the machine's authorities or a file's; MUTUAL shows a certificate from a file.
 * Istio takes an unset server name from the request's Host header; here it is the service's host, which TCP has too.
 */
function originatedTls(
  tls: ClientTLSSettings,
  { hostname, subjectAltNames, systemCaPath }: TlsTarget,
): MessageInitShape<typeof TransportSocketSchema> {
  const host = hostname.startsWith("*") ? "" : hostname;
  const known = tls.subjectAltNames?.length ? tls.subjectAltNames : subjectAltNames;
  const names = known.length > 0 ? known : [tls.sni || host].filter((name) => name !== "");
  const path = tls.caCertificates && tls.caCertificates !== "system" ? tls.caCertificates : systemCaPath;
  const validation: MessageInitShape<typeof CertificateValidationContextSchema> = {
    trustedCa: file(path),
    matchTypedSubjectAltNames: names.map(exactSan),
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
            tlsCertificates: ownCertificate(tls),
            ...(!tls.insecureSkipVerify && { validationContextType: { case: "validationContext", value: validation } }),
          },
        }),
      ),
    },
  };
}

const ownCertificate = ({
  mode,
  clientCertificate,
  privateKey,
}: ClientTLSSettings): MessageInitShape<typeof TlsCertificateSchema>[] =>
  mode === "MUTUAL" && clientCertificate && privateKey
    ? [{ certificateChain: file(clientCertificate), privateKey: file(privateKey) }]
    : [];

const file = (value: string): MessageInitShape<typeof DataSourceSchema> => ({
  specifier: { case: "filename", value },
});
