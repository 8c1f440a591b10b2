import { fromBinary } from "@bufbuild/protobuf";
import type { TransportSocket } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { SdsSecretConfig } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type CommonTlsContext,
  type DownstreamTlsContext,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type ResourceRef, TypeUrl } from "./types.ts";

/** The secrets that these sockets take over ADS, each once: certificates, what to trust, keys of session tickets. */
export function secretRefs(sockets: Iterable<TransportSocket | undefined>): ResourceRef[] {
  const names = new Set<string>();
  for (const socket of sockets) {
    for (const { name, sdsConfig } of socket ? secretConfigs(socket) : []) {
      // Without a source it is a secret of the bootstrap; any other source is not this server.
      if (sdsConfig?.configSourceSpecifier.case === "ads") names.add(name);
    }
  }
  return [...names].map((name) => ({ typeUrl: TypeUrl.secret, name }));
}

function secretConfigs({ configType }: TransportSocket): SdsSecretConfig[] {
  if (configType.case !== "typedConfig") return [];
  const { typeUrl, value } = configType.value;
  const type = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  if (type === UpstreamTlsContextSchema.typeName) {
    return commonConfigs(fromBinary(UpstreamTlsContextSchema, value).commonTlsContext);
  }
  if (type !== DownstreamTlsContextSchema.typeName) return [];
  const context = fromBinary(DownstreamTlsContextSchema, value);
  return [...commonConfigs(context.commonTlsContext), ...ticketKeys(context)];
}

function commonConfigs(context: CommonTlsContext | undefined): SdsSecretConfig[] {
  if (!context) return [];
  const { tlsCertificateSdsSecretConfigs: certificates, validationContextType: validation } = context;
  if (validation.case === "validationContextSdsSecretConfig") return [...certificates, validation.value];
  const combined =
    validation.case === "combinedValidationContext" ? validation.value.validationContextSdsSecretConfig : undefined;
  return combined ? [...certificates, combined] : certificates;
}

const ticketKeys = ({ sessionTicketKeysType: keys }: DownstreamTlsContext): SdsSecretConfig[] =>
  keys.case === "sessionTicketKeysSdsSecretConfig" ? [keys.value] : [];
