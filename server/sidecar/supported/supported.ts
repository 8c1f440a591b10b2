import { type DescField, type DescMessage, isFieldSet, isMessage, type Message } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { extensionRegistry, supportedFields } from "./supported-fields.ts";

/**
 * Every field that is set but that this proxy does nothing with, as `path: not supported`. Config is refused by name rather than half obeyed: a timeout, a
 * policy or a certificate that is silently dropped is worse than an error.
 */
export function unsupportedFields(schema: DescMessage, message: Message): string[] {
  const errors: string[] = [];
  walk(schema, message, "", errors);
  return errors;
}

function walk(schema: DescMessage, message: Message, path: string, errors: string[]): void {
  if (isMessage(message, AnySchema)) {
    walkAny(message, path, errors);
    return;
  }
  const supported = supportedFields[schema.typeName];
  // Well-known types are values.
  if (supported === "opaque" || (supported === undefined && schema.typeName.startsWith("google.protobuf."))) return;
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue;
    const fieldPath = path === "" ? field.name : `${path}.${field.name}`;
    if (supported?.includes(field.name) !== true) errors.push(`${fieldPath}: not supported`);
    else walkField(field, fieldValue(message, field), fieldPath, errors);
  }
}

function walkField(field: DescField, value: unknown, path: string, errors: string[]): void {
  switch (field.fieldKind) {
    case "message":
      walkValue(field.message, value, path, errors);
      return;
    case "list":
      if (field.listKind !== "message") return;
      for (const [index, item] of (value as unknown[]).entries()) {
        walkValue(field.message, item, `${path}[${index}]`, errors);
      }
      return;
    case "map":
      if (field.mapKind !== "message") return;
      for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
        walkValue(field.message, item, `${path}[${JSON.stringify(key)}]`, errors);
      }
  }
}

/** Wrapper and Struct fields hold plain values, which have no fields of their own. */
function walkValue(schema: DescMessage, value: unknown, path: string, errors: string[]): void {
  if (isMessage(value)) walk(schema, value, path, errors);
}

function walkAny(any: Any, path: string, errors: string[]): void {
  const name = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
  const schema = extensionRegistry.getMessage(name);
  if (schema === undefined) {
    errors.push(`${path}: ${name === "" ? "empty type" : name} is not supported`);
    return;
  }
  const message = anyUnpack(any, schema);
  if (message !== undefined) walk(schema, message, path, errors);
}

function fieldValue(message: Message, field: DescField): unknown {
  const fields = message as unknown as Record<string, unknown>;
  if (field.oneof === undefined) return fields[field.localName];
  return (fields[field.oneof.localName] as { value: unknown }).value;
}
