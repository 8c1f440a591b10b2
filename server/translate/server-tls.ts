import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { DataSourceSchema, TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ConfigSource } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import {
  type CertificateValidationContextSchema,
  type TlsParametersSchema,
  TlsParameters_TlsProtocol as TlsProtocol,
  CertificateValidationContext_TrustChainVerification as TrustChain,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfigSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { authoritiesSecret, certificateSecret, secretName } from "../model/credentials.ts";
import type { GatewayTls, ServerTLSSettings } from "../model/gateways.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { configWay } from "./config-source.ts";
import { authorities, exactSan, ownCertificate } from "./mutual-tls.ts";
import { authoritiesResource, credentialResource } from "./names.ts";

type CommonInit = MessageInitShape<typeof CommonTlsContextSchema>;
type Validation = MessageInitShape<typeof CertificateValidationContextSchema>;
type SdsConfig = MessageInitShape<typeof SdsSecretConfigSchema>;

/**
 * TLS that ends at a gateway; undefined: what it would show is not there, or not for this proxy, so that nobody is served by it.
 * https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings
 */
export function serverTls(
  mesh: Mesh,
  proxy: MeshProxy,
  { mode, settings }: GatewayTls,
  alpnProtocols: string[],
): MessageInitShape<typeof TransportSocketSchema> | undefined {
  const common = mode === "ISTIO_MUTUAL" ? ofMesh(proxy, settings) : own(mesh, proxy, mode !== "SIMPLE", settings);
  if (common === undefined) return undefined;
  const context = create(DownstreamTlsContextSchema, {
    requireClientCertificate: mode === "MUTUAL" || mode === "ISTIO_MUTUAL",
    commonTlsContext: { ...common, alpnProtocols },
  });
  return {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(DownstreamTlsContextSchema, context) },
  };
}

function ofMesh(proxy: MeshProxy, { subjectAltNames = [] }: ServerTLSSettings): CommonInit | undefined {
  if (proxy.identity === undefined) return undefined;
  const { secret } = configWay(proxy);
  const names = { matchTypedSubjectAltNames: subjectAltNames.map(exactSan) };
  return {
    tlsCertificateSdsSecretConfigs: [{ name: ownCertificate, sdsConfig: secret(ownCertificate) }],
    validationContextType: combined(names, authorities, secret(authorities)),
  };
}

function own(mesh: Mesh, proxy: MeshProxy, isMutual: boolean, settings: ServerTLSSettings): CommonInit | undefined {
  const certificates = certificatesOf(mesh, proxy, settings);
  if (certificates === undefined) return undefined;
  if (!isMutual) return { tlsParams: parameters(settings), ...certificates };
  const validation = validationOf(mesh, proxy, settings);
  return validation && { tlsParams: parameters(settings), ...certificates, validationContextType: validation };
}

/** Secrets are of the proxy's own namespace, and for one that has shown who it is. */
function certificatesOf(
  mesh: Mesh,
  proxy: MeshProxy,
  { credentialName, credentialNames, serverCertificate, privateKey, tlsCertificates }: ServerTLSSettings,
): Pick<CommonInit, "tlsCertificates" | "tlsCertificateSdsSecretConfigs"> | undefined {
  const names = credentialNames?.length ? credentialNames : credentialName ? [credentialName] : [];
  if (names.length === 0) {
    const files = tlsCertificates ?? [{ serverCertificate, privateKey }];
    return {
      tlsCertificates: files.map((it) => ({
        certificateChain: file(it.serverCertificate ?? ""),
        privateKey: file(it.privateKey ?? ""),
      })),
    };
  }
  const there = names
    .map(secretName)
    .filter((name) => proxy.identity !== undefined && certificateSecret(mesh, proxy.namespace, name) !== undefined);
  if (there.length === 0) return undefined;
  const sdsConfig = configWay(proxy).credentials;
  return {
    tlsCertificateSdsSecretConfigs: there.map((name): SdsConfig => ({ name: credentialResource(name), sdsConfig })),
  };
}

function validationOf(mesh: Mesh, proxy: MeshProxy, settings: ServerTLSSettings): CommonInit["validationContextType"] {
  const { credentialName, credentialNames, caCertCredentialName, caCertificates, tlsCertificates } = settings;
  const validation: Validation = {
    matchTypedSubjectAltNames: (settings.subjectAltNames ?? []).map(exactSan),
    verifyCertificateSpki: settings.verifyCertificateSpki ?? [],
    verifyCertificateHash: settings.verifyCertificateHash ?? [],
    ...(settings.caCrl && { crl: file(settings.caCrl) }),
    ...(settings.insecureSkipVerify && { trustChainVerification: TrustChain.ACCEPT_UNTRUSTED }),
  };
  const name = caCertCredentialName ?? credentialNames?.[0] ?? credentialName;
  const path = caCertificates ?? tlsCertificates?.find((it) => it.caCertificates)?.caCertificates;
  if (path !== undefined && caCertCredentialName === undefined) {
    return { case: "validationContext", value: { ...validation, trustedCa: file(path) } };
  }
  if (name === undefined || proxy.identity === undefined) return undefined;
  if (authoritiesSecret(mesh, proxy.namespace, secretName(name)) === undefined) return undefined;
  return combined(validation, authoritiesResource(secretName(name)), configWay(proxy).credentials);
}

const combined = (
  defaultValidationContext: Validation,
  name: string,
  sdsConfig: ConfigSource,
): CommonInit["validationContextType"] => ({
  case: "combinedValidationContext",
  value: { defaultValidationContext, validationContextSdsSecretConfig: { name, sdsConfig } },
});

const versions = {
  TLS_AUTO: TlsProtocol.TLS_AUTO,
  TLSV1_0: TlsProtocol.TLSv1_0,
  TLSV1_1: TlsProtocol.TLSv1_1,
  TLSV1_2: TlsProtocol.TLSv1_2,
  TLSV1_3: TlsProtocol.TLSv1_3,
};

const parameters = ({
  minProtocolVersion = "TLS_AUTO",
  maxProtocolVersion = "TLS_AUTO",
  cipherSuites = [],
  ecdhCurves = [],
}: ServerTLSSettings): MessageInitShape<typeof TlsParametersSchema> => ({
  tlsMinimumProtocolVersion: versions[minProtocolVersion],
  tlsMaximumProtocolVersion: versions[maxProtocolVersion],
  cipherSuites: [...new Set(cipherSuites)],
  ecdhCurves,
});

const file = (filename: string): MessageInitShape<typeof DataSourceSchema> => ({
  specifier: { case: "filename", value: filename },
});
