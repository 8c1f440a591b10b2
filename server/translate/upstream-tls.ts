import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcherSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { UpstreamTlsContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { ClientTLSSettings } from "../model/specs.ts";

/**
 * TLS that the client's proxy begins, checked against the machine's authorities. Istio takes an unset server name from the request's
 * Host header; here it is the service's host, which TCP has too. https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
 */
export function upstreamTls(
  tls: ClientTLSSettings | undefined,
  hostname: string,
  systemCaPath: string,
): MessageInitShape<typeof TransportSocketSchema> | undefined {
  if (tls?.mode !== "SIMPLE") return undefined;
  const host = hostname.startsWith("*") ? "" : hostname;
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : [tls.sni || host].filter((name) => name !== "");
  const path = tls.caCertificates && tls.caCertificates !== "system" ? tls.caCertificates : systemCaPath;
  const validation: MessageInitShape<typeof CertificateValidationContextSchema> = {
    trustedCa: { specifier: { case: "filename", value: path } },
    matchTypedSubjectAltNames: names.map(sanMatcher),
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
            ...(!tls.insecureSkipVerify && { validationContextType: { case: "validationContext", value: validation } }),
          },
        }),
      ),
    },
  };
}

const sanMatcher = (name: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> => ({
  sanType: name.includes("://") ? SanType.URI : SanType.DNS,
  matcher: { matchPattern: { case: "exact", value: name } },
});
