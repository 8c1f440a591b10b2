import { isIP } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ConfigSource } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { FilterChainMatchSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import {
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcherSchema,
  TlsParameters_TlsProtocol,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";

type TransportSocket = MessageInitShape<typeof TransportSocketSchema>;
type SanMatcher = MessageInitShape<typeof SubjectAltNameMatcherSchema>;

/** Istio's names of the workload's own certificate and of the authorities to trust, as its proxies ask SDS for them. */
export const ownCertificate = "default";
export const authorities = "ROOTCA";

/** What a client inside the mesh offers, and by what its TLS is told from an application's own. */
const meshProtocol = "istio";

/** Connections of mutual TLS, from Limpid's proxies and from Istio's. https://istio.io/latest/docs/concepts/security/#mutual-tls-authentication */
export const mutualTlsMatch: MessageInitShape<typeof FilterChainMatchSchema> = {
  transportProtocol: "tls",
  applicationProtocols: [meshProtocol, "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"],
};

/** Of each by its name. */
export type SecretSource = (name: string) => ConfigSource;

export interface MutualTlsClient {
  /** Server name to ask for. */
  sni: string;
  /** Names of which the server's certificate must carry one; none: any of the trust domains. */
  subjectAltNames: readonly string[];
  trustDomains: readonly string[];
  /** Where certificates come from. */
  source: SecretSource;
}

/** TLS that the client's proxy begins with the certificate that the mesh gave it: `tls.mode: ISTIO_MUTUAL`. */
export const mutualTlsClient = ({ sni, subjectAltNames, trustDomains, source }: MutualTlsClient): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: {
    case: "typedConfig",
    value: anyPack(
      UpstreamTlsContextSchema,
      create(UpstreamTlsContextSchema, {
        sni,
        commonTlsContext: {
          ...common(subjectAltNames.length > 0 ? subjectAltNames.map(exactSan) : trustDomains.map(anyOf), source),
          alpnProtocols: [meshProtocol],
        },
      }),
    ),
  },
});

/** TLS that ends at the server's proxy, with a client that must show a certificate of one of the trust domains. */
export const mutualTlsServer = (trustDomains: readonly string[], source: SecretSource): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: {
    case: "typedConfig",
    value: anyPack(
      DownstreamTlsContextSchema,
      create(DownstreamTlsContextSchema, {
        requireClientCertificate: true,
        // No ALPN answer: HTTP/1.1 and HTTP/2 are told apart by what the client sends.
        commonTlsContext: common(trustDomains.map(anyOf), source),
      }),
    ),
  },
});

const common = (names: SanMatcher[], source: SecretSource): MessageInitShape<typeof CommonTlsContextSchema> => ({
  tlsParams: {
    tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
    // Envoy's clients stop at 1.2 unless told otherwise.
    tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
  },
  tlsCertificateSdsSecretConfigs: [{ name: ownCertificate, sdsConfig: source(ownCertificate) }],
  validationContextType: {
    case: "combinedValidationContext",
    value: {
      defaultValidationContext: { matchTypedSubjectAltNames: names },
      validationContextSdsSecretConfig: { name: authorities, sdsConfig: source(authorities) },
    },
  },
});

export const exactSan = (name: string): SanMatcher => ({
  sanType: name.includes("://") ? SanType.URI : isIP(name) === 0 ? SanType.DNS : SanType.IP_ADDRESS,
  matcher: { matchPattern: { case: "exact", value: name } },
});

const anyOf = (trustDomain: string): SanMatcher => ({
  sanType: SanType.URI,
  matcher: { matchPattern: { case: "prefix", value: `spiffe://${trustDomain}/` } },
});
