import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type DataSource, DataSourceSchema, type TransportSocket } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContext,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type ResourceRef, TypeUrl } from "./types.ts";

/** What a transport socket asks SDS for: certificates to show, authorities to trust. */
export function secretsOf(socket: TransportSocket | undefined): ResourceRef[] {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const context = any && (anyUnpack(any, UpstreamTlsContextSchema) ?? anyUnpack(any, DownstreamTlsContextSchema));
  const common = context?.commonTlsContext;
  return common === undefined ? [] : secretNames(common).map((name) => ({ typeUrl: TypeUrl.secret, name }));
}

function secretNames({ tlsCertificateSdsSecretConfigs: shown, validationContextType: trusted }: CommonTlsContext) {
  const validation =
    trusted.case === "validationContextSdsSecretConfig"
      ? trusted.value
      : trusted.case === "combinedValidationContext"
        ? trusted.value.validationContextSdsSecretConfig
        : undefined;
  // Without a source it is a static secret of the bootstrap.
  const configs = [...shown, ...(validation ? [validation] : [])].filter(({ sdsConfig }) => sdsConfig !== undefined);
  return configs.map(({ name }) => name);
}

export const uniqueByName = (refs: readonly ResourceRef[]): ResourceRef[] => [
  ...new Map(refs.map((ref) => [ref.name, ref])).values(),
];

/** A Secret as it may be shown: what is secret in it reads `[redacted]`, as in Envoy's config dump. */
export function redactSecret(value: Uint8Array): Uint8Array {
  const secret = fromBinary(SecretSchema, value);
  const { type } = secret;
  if (type.case === "tlsCertificate") {
    if (type.value.privateKey) type.value.privateKey = redacted();
    if (type.value.password) type.value.password = redacted();
    if (type.value.pkcs12) type.value.pkcs12 = redacted();
    type.value.privateKeyProvider = undefined;
  } else if (type.case === "sessionTicketKeys") type.value.keys = type.value.keys.map(redacted);
  else if (type.case === "genericSecret") type.value.secret = redacted();
  return toBinary(SecretSchema, secret);
}

/** In PEM, of a Secret that is a certificate. */
export function certificateChainOf(value: Uint8Array): string | undefined {
  const { type } = fromBinary(SecretSchema, value);
  const specifier = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier : undefined;
  if (specifier?.case === "inlineString") return specifier.value;
  return specifier?.case === "inlineBytes" ? Buffer.from(specifier.value).toString("utf8") : undefined;
}

const redacted = (): DataSource =>
  create(DataSourceSchema, { specifier: { case: "inlineString", value: "[redacted]" } });
