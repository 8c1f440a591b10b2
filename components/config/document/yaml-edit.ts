/** The way to a value of an object: names of fields and places in lists. */
export type Path = readonly (string | number)[];

/** One step of an edit. Paths are from the document's root. */
export type YamlEdit =
  /** Undefined takes it away, and with it the fields above that it leaves empty. */
  | { op: "set"; path: Path; value: unknown }
  | { op: "insert"; path: Path; index: number; value: unknown }
  | { op: "move"; path: Path; from: number; to: number }
  | { op: "duplicate"; path: Path; index: number }
  /** A field under another name, at its place. */
  | { op: "rename"; path: Path; from: string; to: string };

/** The value at a path; undefined where there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let at = root;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}
