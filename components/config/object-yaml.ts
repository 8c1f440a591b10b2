/** Unix milliseconds; null when it does not say. */
export function createdAt(yaml: string): number | null {
  const text = /^ {2}creationTimestamp: "?([^"\n]+)"?$/m.exec(yaml)?.[1];
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

/**
 * Says which version a change was made against, so that somebody else's is not overwritten. Only for one document whose metadata is a
 * block and names no version itself; anything else is sent as it was written.
 */
export function withVersion(
  yaml: string,
  resourceVersion: string | null,
): { yaml: string; insertedLine: number | null } {
  const asWritten = { yaml, insertedLine: null };
  if (resourceVersion === null || /^---/m.test(yaml) || /^ +resourceVersion:/m.test(yaml)) return asWritten;
  const lines = yaml.split("\n");
  const at = lines.findIndex((line) => /^metadata:\s*(#.*)?$/.test(line));
  const indent = /^( +)\S/.exec(lines[at + 1] ?? "")?.[1];
  if (at < 0 || indent === undefined) return asWritten;
  lines.splice(at + 1, 0, `${indent}resourceVersion: ${JSON.stringify(resourceVersion)}`);
  return { yaml: lines.join("\n"), insertedLine: at + 2 };
}
