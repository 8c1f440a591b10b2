import type { CelValue } from "@bufbuild/cel";
import { type JsonValue, toJson } from "@bufbuild/protobuf";

type Cel = typeof import("@bufbuild/cel");

/** What an expression's value is in JSON; undefined: it has nothing there. */
export function typed(value: CelValue, cel: Cel): JsonValue | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (cel.isCelUint(value)) return Number(value.value);
  if (cel.isCelList(value)) return whole([...value].map((item) => typed(item, cel)));
  if (cel.isCelMap(value)) return object(value, cel);
  return cel.isCelType(value) ? undefined : toJson(value.desc, value.message, { useProtoFieldName: true });
}

/** Keys are texts, or whole numbers. */
function object(map: Iterable<readonly [CelValue, CelValue]>, cel: Cel): JsonValue | undefined {
  const entries = [...map];
  const keys = entries.map(([key]) => {
    if (typeof key === "string" || typeof key === "bigint") return String(key);
    return cel.isCelUint(key) ? String(key.value) : undefined;
  });
  const items = whole(entries.map(([, item]) => typed(item, cel)));
  const known = whole(keys);
  return items && known && Object.fromEntries(known.map((key, index) => [key, items[index] ?? null]));
}

/** Undefined: one of them is. */
const whole = <T>(values: readonly (T | undefined)[]): T[] | undefined => {
  const there = values.filter((value) => value !== undefined);
  return there.length === values.length ? there : undefined;
};
