/** A line of an object's YAML, and the field that stands on it. */
export interface YamlPlace {
  /** Counts from one. */
  line: number;
  /** `http[2].match[0].uri.regex`, below `spec`. */
  path: string;
}

/**
 * Where in an object's YAML a proxy's complaint points to: Envoy and our sidecar quote the value they refuse. The longest quoted text that
 * stands in the YAML wins, else a value without quotes that stands there once; null when none does, since a guess would send people to the wrong line.
 */
export function blamedPlace(yaml: string, complaint: string): YamlPlace | null {
  const lines = yaml.split("\n");
  const start = lines.findIndex((line) => line.startsWith("spec:"));
  for (const quoted of quotedTexts(complaint)) {
    const at = lines.findIndex((line, i) => i > start && scalarOf(line) === quoted);
    if (at >= 0) return { line: at + 1, path: pathOf(lines, at) };
  }
  for (const word of valueWords(complaint)) {
    const found = [...lines.keys()].filter((i) => i > start && scalarOf(lines[i] ?? "")?.toUpperCase() === word);
    const [at] = found;
    if (at !== undefined && found.length === 1) return { line: at + 1, path: pathOf(lines, at) };
  }
  return null;
}

/** Values that stand there without quotes, such as `TLSv1_0`, in capitals; words of the language have neither digits nor underscores. */
function valueWords(text: string): string[] {
  const found = [...text.matchAll(/(?<![\w.[])[A-Za-z][\w-]{3,}(?![\w.[])/g)].map(([word]) => word);
  return [...new Set(found.filter((word) => /[\d_]/.test(word)).map((word) => word.toUpperCase()))];
}

/** The line on which a field below `spec` begins, counted from one; null when there is none. */
export function lineOfRule(yaml: string, rule: string): number | null {
  const lines = yaml.split("\n");
  const start = lines.findIndex((line) => line.startsWith("spec:"));
  if (start < 0) return null;
  for (const { at, path } of pathsOf(lines)) {
    if (at > start && path.startsWith(rule) && /^$|^[.[]/.test(path.slice(rule.length))) return at + 1;
  }
  return null;
}

/** What stands between quotes, longest first; a regular expression may hold quotes of the other kind. */
function quotedTexts(text: string): string[] {
  const found = [...text.matchAll(/'([^']{2,})'|"([^"]{2,})"|`([^`]{2,})`/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
  return found.toSorted((a, b) => b.length - a.length);
}

/** The value on a line of block YAML, without quotes. */
function scalarOf(line: string): string | null {
  const value = /^\s*(?:- )*(?:[^\s:'"]+:\s+)?(\S.*)$/.exec(line)?.[1]?.trim();
  if (value === undefined) return null;
  if (value.startsWith('"') && value.endsWith('"')) {
    try {
      return String(JSON.parse(value));
    } catch {
      return value;
    }
  }
  return value.startsWith("'") && value.endsWith("'") ? value.slice(1, -1).replaceAll("''", "'") : value;
}

/** The way to a line of block YAML as our API writes it: two spaces a level, list items indented below their key. */
export function pathOf(lines: readonly string[], at: number): string {
  let last = "";
  for (const found of pathsOf(lines)) {
    if (found.at > at) break;
    last = found.path;
  }
  return last;
}

/** A key, or an item by its number, and the column at which it stands. */
interface Level {
  indent: number;
  step: string | number;
}

/** The way to each line that isn't blank, in one pass from the first on; what ends a level is a line that stands no further in. */
function* pathsOf(lines: readonly string[]): Generator<{ at: number; path: string }> {
  const levels: Level[] = [];
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const [, spaces = "", dashes = "", key] = /^( *)((?:- )*)(?:([^\s:'"]+):(?:\s|$))?/.exec(line) ?? [];
    const indent = spaces.length;
    const item = dashes === "" ? undefined : itemAfter(levels, indent);
    leave(levels, indent);
    if (item !== undefined) levels.push({ indent, step: item });
    if (key) levels.push({ indent: indent + dashes.length, step: key });
    yield { at, path: textOf(levels) };
  }
}

/** The number of an item that begins at a column. */
function itemAfter(levels: readonly Level[], indent: number): number {
  const before = levels.find((level) => level.indent === indent && typeof level.step === "number")?.step;
  return typeof before === "number" ? before + 1 : 0;
}

function leave(levels: Level[], indent: number): void {
  while ((levels.at(-1)?.indent ?? -1) >= indent) levels.pop();
}

const textOf = (levels: readonly Level[]): string =>
  levels
    .map(({ step }) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "")
    .replace(/^spec\./, "");
