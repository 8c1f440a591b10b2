import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { registry } from "../proto/registry.ts";

/** The proto JSON of a resource with its `@type`; what cannot be read is shown as its bytes. */
export function anyToJson(any: Any): JsonValue {
  try {
    return toJson(AnySchema, create(AnySchema, any), { registry });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { "@type": any.typeUrl, value: Buffer.from(any.value).toString("base64"), unreadable: why };
  }
}
