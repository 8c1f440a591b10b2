import { create, type DescMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { registry } from "../../proto/registry.ts";

/** Whole values rather than parts of one: 5 s over 10.2 s is 5 s, and not 5.2. */
const replaced = new Set([
  "google.protobuf.Any",
  "google.protobuf.Duration",
  "google.protobuf.Timestamp",
  "google.protobuf.Struct",
  "google.protobuf.Value",
]);

/**
 * A copy of `target` with what `source` has: scalars and oneofs take the place of what was there, lists are longer by it, maps have it beside
 * what they had, messages are merged in turn. As protobuf's merge, but for values that mean something as a whole only, as Istio has it.
 */
export function merged<Desc extends DescMessage>(
  schema: Desc,
  target: MessageShape<Desc>,
  source: MessageShape<Desc>,
): MessageShape<Desc> {
  const result = create(schema);
  copyInto(schema, result, target);
  copyInto(schema, result, source);
  return result;
}

function copyInto(schema: DescMessage, into: Message, from: Message): void {
  const target = reflect(schema, into);
  const source = reflect(schema, from);
  for (const field of schema.fields) {
    if (!source.isSet(field)) continue;
    if (field.fieldKind === "list") {
      const list = target.get(field);
      for (const item of source.get(field)) list.add(item);
    } else if (field.fieldKind === "map") {
      const map = target.get(field);
      for (const [key, value] of source.get(field)) map.set(key, value);
    } else if (field.fieldKind === "message" && !replaced.has(field.message.typeName)) {
      const inner = create(field.message);
      if (target.isSet(field)) copyInto(field.message, inner, target.get(field).message);
      copyInto(field.message, inner, source.get(field).message);
      target.set(field, reflect(field.message, inner));
    } else {
      target.set(field, source.get(field));
    }
  }
}

/** Two typed configs of one type are merged; of two types, or of one that is not known here, the newer stays. */
export function mergedAny(target: Any | undefined, source: Any | undefined): Any | undefined {
  if (source === undefined || target === undefined) return source ?? target;
  const schema = registry.getMessage(typeName(source));
  const [before, after] = [anyUnpack(target, registry), anyUnpack(source, registry)];
  if (schema === undefined || before === undefined || after === undefined || before.$typeName !== after.$typeName)
    return source;
  return anyPack(schema, merged(schema, before, after));
}

const typeName = ({ typeUrl }: Any): string => typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
