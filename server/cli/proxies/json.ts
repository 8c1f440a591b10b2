import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** What stands at the path; empty where no object does. */
export function objectIn(json: JsonValue | undefined, ...path: string[]): JsonObject {
  const [key, ...rest] = path;
  if (typeof json !== "object" || json === null || Array.isArray(json)) return {};
  return key === undefined ? json : objectIn(json[key], ...rest);
}

export const arrayIn = (json: JsonObject, key: string): JsonObject[] => {
  const list = json[key];
  return Array.isArray(list) ? list.map((item) => objectIn(item)) : [];
};
