import { versionOf } from "./encode.ts";
import type { Resource } from "./types.ts";

/** The one version that the state-of-the-world protocol has for all resources of a type. */
export const stateVersionOf = (resources: Iterable<Resource>): string =>
  versionOf(
    Array.from(resources, ({ name, version }) => `${name}\0${version}`)
      .sort() // clients list their names in any order
      .join("\n"),
  );

/** What a response costs beside its resources: type, nonce, identifier, and the frame's own fields. */
export const responseOverhead = 512;
/** Of one resource: tags and lengths of its fields and of the `Any` around it. */
const resourceOverhead = 32;

export const resourceBytes = ({ name, version, value }: Resource, typeUrl: string): number =>
  value.length + Buffer.byteLength(name) + version.length + typeUrl.length + resourceOverhead;

export const removedBytes = (name: string): number => Buffer.byteLength(name) + 8;

/** As much as fits, at least one of either; the rest follows when the client has answered. Names of what is gone count as resources do. */
export function takeWithin(
  { resources, removed }: { resources: readonly Resource[]; removed: readonly string[] },
  typeUrl: string,
  limitBytes: number,
): { resources: readonly Resource[]; removed: readonly string[] } {
  let left = limitBytes - responseOverhead;
  const fits = (bytes: number, first: boolean): boolean => {
    left -= bytes;
    return first || left >= 0;
  };
  // Removals first: a virtual host may take over a domain only in, or after, the response that takes its holder away.
  const goneEnd = removed.findIndex((name, i) => !fits(removedBytes(name), i === 0));
  if (goneEnd >= 0) return { resources: [], removed: removed.slice(0, goneEnd) };
  const end = resources.findIndex((it, i) => !fits(resourceBytes(it, typeUrl), i === 0 && removed.length === 0));
  return { resources: end < 0 ? resources : resources.slice(0, end), removed };
}
