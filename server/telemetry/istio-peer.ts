import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { AnySchema, BytesValueSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { clean, type Peer } from "../wire/peer.ts";
import { readNode } from "./peer.ts";
import type { Range } from "./proto-reader.ts";

/**
 * Istio's peer metadata as its proxies log it from filter state: an Any of a Struct, whose fields are those of a node's metadata. Undefined
 * for anything else. https://github.com/istio/proxy/blob/master/extensions/common/metadata_object.h
 */
export function istioPeer({ bytes, start, end }: Range): Peer | undefined {
  try {
    const any = fromBinary(AnySchema, bytes.subarray(start, end));
    const fields = structOf(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1), any.value);
    if (fields === undefined) return undefined;
    // By later versions the canonical names stand beside the labels.
    const labels = fields.LABELS !== null && typeof fields.LABELS === "object" ? (fields.LABELS as JsonObject) : {};
    const named = {
      ...labels,
      ...(typeof fields.CANONICAL_NAME === "string" && { "service.istio.io/canonical-name": fields.CANONICAL_NAME }),
      ...(typeof fields.CANONICAL_REVISION === "string" && {
        "service.istio.io/canonical-revision": fields.CANONICAL_REVISION,
      }),
    };
    const { self } = readNode({ id: "", cluster: "", metadata: { ...fields, LABELS: named } });
    return self.workload === "" && self.app === "" ? undefined : { ...self, app: clean(self.app || self.workload) };
  } catch {
    return undefined;
  }
}

function structOf(type: string, value: Uint8Array): JsonObject | undefined {
  if (type === "google.protobuf.Struct") return plain(value);
  if (type === "google.protobuf.BytesValue") return plain(fromBinary(BytesValueSchema, value).value);
  return undefined;
}

const plain = (bytes: Uint8Array): JsonObject => {
  const { fields } = fromBinary(StructSchema, bytes);
  const value = (kind: (typeof fields)[string]["kind"]): JsonObject[string] => {
    if (kind.case === "structValue") {
      return Object.fromEntries(Object.entries(kind.value.fields).map(([key, inner]) => [key, value(inner.kind)]));
    }
    return kind.case === "stringValue" ? kind.value : null;
  };
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, value(field.kind)]));
};
