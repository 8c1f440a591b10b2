import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { DataSourceSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { TlsCertificate } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { memo } from "../lib/memo.ts";
import { type Resource, TypeUrl } from "./types.ts";

/**
 * A resource's bytes as anyone may see them. Of a secret only what is named here is shown, so that a field nobody thought of stays hidden; keys read
 * `[redacted]`, as in Envoy's config dump. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--config_dump
 */
export function shownValue(typeUrl: string, resource: Resource): Uint8Array {
  if (typeUrl !== TypeUrl.secret) return resource.value;
  return memo(resource, "shown", [], () => shownSecret(resource.value, resource.name));
}

/** The same of a secret's bytes. */
export function shownSecret(value: Uint8Array, name: string): Uint8Array {
  return toBinary(SecretSchema, create(SecretSchema, { ...shown(decode(value)), name }));
}

function shown({ type }: Pick<Secret, "type">): MessageInitShape<typeof SecretSchema> {
  if (type.case === "validationContext") return { type };
  if (type.case === "tlsCertificate") return { type: { case: "tlsCertificate", value: certificate(type.value) } };
  return {};
}

function decode(value: Uint8Array): Pick<Secret, "type"> {
  try {
    return fromBinary(SecretSchema, value);
  } catch {
    return { type: { case: undefined } };
  }
}

const certificate = ({ certificateChain }: TlsCertificate) => ({ certificateChain, privateKey: redacted });

const redacted: MessageInitShape<typeof DataSourceSchema> = {
  specifier: { case: "inlineString", value: "[redacted]" },
};

/** The reason for which a client refused resources of a type. Of secrets, Envoy's may quote the message that it refused. */
export function shownReason(typeUrl: string, reason: string): string {
  if (typeUrl !== TypeUrl.secret || !quotesContents.test(reason)) return reason;
  return "refused; the reason is not shown, for it quotes the secret";
}

const quotesContents = /PRIVATE KEY|inline_?(bytes|string)|goo\.gle\/debug/i;
