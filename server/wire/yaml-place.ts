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
  const at = lines.findIndex((line, i) => {
    if (i <= start || start < 0 || line.trim() === "") return false;
    const path = pathOf(lines, i);
    return path.startsWith(rule) && /^$|^[.[]/.test(path.slice(rule.length));
  });
  return at < 0 ? null : at + 1;
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
  let path = "";
  let deeper = Number.POSITIVE_INFINITY;
  for (let i = at; i >= 0; i--) {
    const line = lines[i] ?? "";
    const [, spaces = "", dashes = "", key] = /^( *)((?:- )*)(?:([^\s:'"]+):(?:\s|$))?/.exec(line) ?? [];
    const indent = spaces.length;
    const keyIndent = indent + dashes.length;
    if (line.trim() === "" || (keyIndent >= deeper && indent >= deeper)) continue;
    if (key && keyIndent < deeper) path = path === "" || path.startsWith("[") ? `${key}${path}` : `${key}.${path}`;
    if (dashes && indent < deeper)
      path = `[${itemNumber(lines, i, indent)}]${path === "" || path.startsWith("[") ? "" : "."}${path}`;
    deeper = dashes ? indent : keyIndent;
    if (deeper === 0) break;
  }
  return path.replace(/^spec\./, "");
}

/** Which item of its list a line begins. */
function itemNumber(lines: readonly string[], at: number, indent: number): number {
  let number = 0;
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i] ?? "";
    const spaces = /^ */.exec(line)?.[0].length ?? 0;
    if (line.trim() !== "" && spaces < indent) break;
    if (spaces === indent && line.startsWith("- ", indent)) number++;
  }
  return number;
}
