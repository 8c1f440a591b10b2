import { type DescField, type DescMessage, type Registry, ScalarType } from "@bufbuild/protobuf";
import type { FieldError } from "../../lib/result.ts";

/**
 * Finds all that is unknown in the JSON form of a message before it is decoded: protobuf-es stops at the first unknown field and doesn't say
 * where it stands. Values are left to the decoder. Both spellings of a field's name count (`typed_config`, `typedConfig`).
 */
export function checkJson(desc: DescMessage, json: unknown, registry: Registry, path = ""): FieldError[] {
  if (json === null || json === undefined || leaves.has(desc.typeName)) return [];
  if (desc.typeName === "google.protobuf.Any") return checkAny(json, registry, path);
  if (!isObject(json)) return [{ path, message: `expected an object (${desc.typeName})` }];
  return Object.entries(json).flatMap(([key, value]) => {
    const here = path === "" ? key : `${path}.${key}`;
    const field = desc.fields.find(({ name, jsonName }) => key === name || key === jsonName);
    if (field === undefined) return [{ path: here, message: `unknown field of ${desc.typeName}` }];
    return value === null ? [] : checkField(field, value, registry, here);
  });
}

/** Messages with a JSON form of their own. https://protobuf.dev/programming-guides/json/ */
const leaves = new Set(
  [
    ...["Struct", "Value", "ListValue", "Duration", "Timestamp", "FieldMask"],
    ...["BoolValue", "StringValue", "BytesValue", "DoubleValue", "FloatValue"],
    ...["Int32Value", "Int64Value", "UInt32Value", "UInt64Value"],
  ].map((name) => `google.protobuf.${name}`),
);

function checkField(field: DescField, value: unknown, registry: Registry, path: string): FieldError[] {
  switch (field.fieldKind) {
    case "message":
      return checkJson(field.message, value, registry, path);
    case "list": {
      if (!Array.isArray(value)) return [{ path, message: "expected a list" }];
      const { listKind } = field;
      if (listKind !== "message") return [];
      return value.flatMap((item, index) => checkJson(field.message, item, registry, `${path}[${index}]`));
    }
    case "map":
      if (!isObject(value)) return [{ path, message: "expected an object" }];
      if (field.mapKind !== "message") return [];
      return Object.entries(value).flatMap(([key, item]) =>
        checkJson(field.message, item, registry, `${path}[${JSON.stringify(key)}]`),
      );
    case "enum":
      if (typeof value !== "string" || field.enum.values.some(({ name }) => name === value)) return [];
      return [{ path, message: `unknown value ${value} of ${field.enum.typeName}` }];
    case "scalar":
      return checkScalar(field.scalar, value, path);
  }
}

function checkScalar(type: ScalarType, value: unknown, path: string): FieldError[] {
  if (isObject(value) || Array.isArray(value)) return [{ path, message: `expected ${ScalarType[type].toLowerCase()}` }];
  if (type === ScalarType.STRING && typeof value !== "string") {
    return [{ path, message: `expected a string, not ${JSON.stringify(value)}: quote it` }];
  }
  if (type === ScalarType.BOOL && typeof value !== "boolean") return [{ path, message: "expected true or false" }];
  return [];
}

function checkAny(json: unknown, registry: Registry, path: string): FieldError[] {
  if (!isObject(json)) return [{ path, message: 'expected an object with "@type"' }];
  const { "@type": url, ...rest } = json;
  if (Object.keys(json).length === 0) return [];
  if (typeof url !== "string") return [{ path, message: '"@type" is missing' }];
  const desc = registry.getMessage(url.slice(url.lastIndexOf("/") + 1));
  if (desc === undefined) return [{ path, message: `unknown type ${url}` }];
  if (leaves.has(desc.typeName)) return [];
  return checkJson(desc, rest, registry, path);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
