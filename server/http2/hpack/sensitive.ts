/**
 * Which fields of a message came as "never indexed". An intermediary has to pass them on so (RFC 7541, 6.2.3), or a secret could be guessed from how well it
 * compresses on the next hop. Kept beside the array of fields rather than in it: hardly any message has one, and nobody between two codecs needs to know.
 */
const namesOf = new WeakMap<readonly string[], Set<string>>();

export function markSensitive(fields: readonly string[], name: string): void {
  const names = namesOf.get(fields);
  if (names === undefined) namesOf.set(fields, new Set([name]));
  else names.add(name);
}

export const sensitiveNames = (fields: readonly string[]): ReadonlySet<string> | undefined => namesOf.get(fields);
