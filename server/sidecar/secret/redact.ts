import {
  clone,
  type DescField,
  type DescMessage,
  isFieldSet,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { extensionRegistry } from "../bootstrap/extensions.ts";

/** The fields that Envoy's protos mark as `udpa.annotations.sensitive`, by message. */
const sensitive: Readonly<Record<string, readonly string[] | undefined>> = {
  "envoy.extensions.transport_sockets.tls.v3.TlsCertificate": ["private_key", "pkcs12", "password"],
  "envoy.extensions.transport_sockets.tls.v3.PrivateKeyProvider": ["typed_config"],
  "envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys": ["keys"],
  "envoy.extensions.transport_sockets.tls.v3.GenericSecret": ["secret"],
};

/** A copy in which all texts and bytes of sensitive fields are `[redacted]`, as in Envoy's dumps, also inside of `Any`s. */
export function redacted<D extends DescMessage>(schema: D, message: MessageShape<D>): MessageShape<D> {
  const copy = clone(schema, message);
  redact(reflect(schema, copy), false);
  return copy;
}

function redact(view: ReflectMessage, all: boolean): void {
  const { message } = view;
  if (view.desc.typeName === AnySchema.typeName) {
    redactAny(message as Any, all);
    return;
  }
  const hidden = sensitive[view.desc.typeName];
  for (const field of view.fields) {
    if (isFieldSet(message, field)) redactField(view, field, all || hidden?.includes(field.name) === true);
  }
}

function redactField(view: ReflectMessage, field: DescField, all: boolean): void {
  switch (field.fieldKind) {
    case "message":
      redact(view.get(field), all);
      return;
    case "list":
      if (field.listKind === "message") for (const item of view.get(field)) redact(item as ReflectMessage, all);
      return;
    case "map":
      if (field.mapKind === "message") for (const [, item] of view.get(field)) redact(item as ReflectMessage, all);
      return;
    case "scalar": {
      const value: unknown = view.get(field);
      if (all && typeof value === "string") view.set(field, redactedText);
      else if (all && value instanceof Uint8Array) view.set(field, Buffer.from(redactedText));
    }
  }
}

function redactAny(any: Any, all: boolean): void {
  const schema = extensionRegistry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  const inner: Message | undefined = schema && anyUnpack(any, schema);
  if (schema === undefined || inner === undefined) {
    // What cannot be looked into is not shown where there is something to hide.
    if (all) any.value = new Uint8Array();
    return;
  }
  redact(reflect(schema, inner), all);
  any.value = anyPack(schema, inner).value;
}

const redactedText = "[redacted]";
