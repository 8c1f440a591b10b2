export interface JsonRow {
  /** Keys from the root, joined by `/`; unique, also for the closing row. */
  path: string;
  depth: number;
  key: string | null;
  kind: "open" | "close" | "string" | "number" | "word";
  text: string;
  /** Of an opening row: what is folded away when it is closed. */
  folded: { count: number; close: string } | null;
}

/** A value as lines, those below a folded path left out. The work is bounded by what is shown, not by what is folded. */
export function jsonRows(value: unknown, folded: ReadonlySet<string>): JsonRow[] {
  const rows: JsonRow[] = [];
  const visit = (item: unknown, path: string, depth: number, key: string | null): void => {
    if (typeof item !== "object" || item === null) {
      rows.push({ path, depth, key, ...scalar(item), folded: null });
      return;
    }
    const [open, close] = Array.isArray(item) ? ["[", "]"] : ["{", "}"];
    const entries = Array.isArray(item) ? item.map((each, i) => [String(i), each] as const) : Object.entries(item);
    if (folded.has(path) || entries.length === 0) {
      rows.push({ path, depth, key, kind: "open", text: open, folded: { count: entries.length, close } });
      return;
    }
    rows.push({ path, depth, key, kind: "open", text: open, folded: null });
    for (const [name, each] of entries) {
      visit(each, `${path}/${name.replaceAll("/", "~1")}`, depth + 1, Array.isArray(item) ? null : name);
    }
    rows.push({ path: `${path}/`, depth, key: null, kind: "close", text: close, folded: null });
  };
  visit(value, "", 0, null);
  return rows;
}

function scalar(value: unknown): Pick<JsonRow, "kind" | "text"> {
  if (typeof value === "string") return { kind: "string", text: JSON.stringify(value) };
  if (typeof value === "number") return { kind: "number", text: String(value) };
  return { kind: "word", text: String(value) };
}

/** What to fold at first, so that a large value opens as an outline: everything from a depth on, when it has too many lines. */
export function firstFolded(value: unknown, limit = 1500, fromDepth = 3): Set<string> {
  const rows = jsonRows(value, new Set());
  if (rows.length <= limit) return new Set();
  const folded = new Set<string>();
  for (const row of rows) if (row.kind === "open" && row.depth >= fromDepth) folded.add(row.path);
  return folded;
}

/** Which rows contain the text; none for an empty text. */
export function findRows(rows: readonly JsonRow[], text: string): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  return rows.flatMap((row, i) => (`${row.key ?? ""} ${row.text}`.toLowerCase().includes(wanted) ? [i] : []));
}

/** Every config path that a resource says it was made from: `filter_metadata.istio.config` in any of its metadata. */
export function originPaths(value: unknown): string[] {
  const found = new Set<string>();
  const visit = (item: unknown): void => {
    if (typeof item !== "object" || item === null) return;
    for (const [key, each] of Object.entries(item)) {
      if (key === "config" && typeof each === "string" && each.startsWith("/apis/")) found.add(each);
      else visit(each);
    }
  };
  visit(value);
  return [...found];
}
