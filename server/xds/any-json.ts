import { create, createRegistry, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { resourceFiles } from "./resource-files.ts";

/** Every message that Limpid's configuration is made of, so that an `Any` inside an `Any` can be shown as JSON. */
export const registry = createRegistry(...resourceFiles);

/** The proto JSON of a resource with its `@type`; what cannot be read is shown as its bytes. */
export function anyToJson(any: Any): JsonValue {
  try {
    return toJson(AnySchema, create(AnySchema, any), { registry });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { "@type": any.typeUrl, value: Buffer.from(any.value).toString("base64"), unreadable: why };
  }
}
