import type { ConfigObject } from "../object.ts";

/**
 * Go's clients and templates write fields that are not set with their zero values, and `null` for wrappers: `subset: ""`, `port: 0`,
 * `uri: {}`. Proto3 can't tell these from absent ones, so Istio doesn't either; here they are stored as they came and read without them.
 * The same object when it has none.
 */
export function withoutZeroValues<Spec>(object: ConfigObject<Spec>): ConfigObject<Spec> {
  const known = meant.get(object);
  if (known !== undefined) return known as ConfigObject<Spec>;
  const spec = strip(object.spec, "") as Spec;
  const result = spec === object.spec ? object : { ...object, spec };
  meant.set(object, result as ConfigObject);
  return result;
}

/** Objects are frozen and shared, so what one of them means is found once. */
const meant = new WeakMap<object, ConfigObject>();

/** Fields whose zero value means nothing, by their name; a StringMatch says nothing when it is empty. */
const zeros: Readonly<Record<string, (value: unknown) => boolean>> = {
  subset: (value) => value === "",
  sourceNamespace: (value) => value === "",
  scheme: (value) => value === "" || isEmpty(value),
  port: (value) => value === 0,
  targetPort: (value) => value === 0,
  redirectCode: (value) => value === 0,
  uri: isEmpty,
  method: isEmpty,
  authority: isEmpty,
};

/** Their keys are users' names, and an empty condition asks whether the header is there. */
const maps = new Set(["headers", "withoutHeaders", "queryParams", "labels", "sourceLabels", "set", "add"]);

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function strip(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => strip(item, name));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let isSame = true;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (inner === null || (!maps.has(name) && zeros[key]?.(inner))) {
      isSame = false;
      return [];
    }
    const stripped = strip(inner, key);
    if (stripped !== inner) isSame = false;
    return [[key, stripped]];
  });
  return isSame ? value : Object.fromEntries(entries);
}
