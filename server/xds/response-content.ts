import { versionOf } from "./encode.ts";
import type { Resource } from "./types.ts";

/** The one version that the state-of-the-world protocol has for all resources of a type. */
export const stateVersionOf = (resources: Iterable<Resource>): string =>
  versionOf(
    Array.from(resources, ({ name, version }) => `${name}\0${version}`)
      .sort() // clients list their names in any order
      .join("\n"),
  );

/** As many as fit, at least one; the rest follows when the client has answered. */
export function takeWithin(resources: readonly Resource[], limitBytes: number): readonly Resource[] {
  let bytes = 0;
  const end = resources.findIndex(({ name, value }, i) => {
    bytes += value.length + name.length;
    return i > 0 && bytes > limitBytes;
  });
  return end < 0 ? resources : resources.slice(0, end);
}
