/** Where somebody writes in a block YAML text: what would be completed, or is pointed at. */
export interface YamlContext {
  /** Of the document it is in. */
  kind: string | null;
  /** Names of fields from the root, `[]` for an item of a list. */
  path: string[];
  /** A name is written at the path; or the value of the field that the path ends with. */
  writes: "name" | "value";
  /** What stands there up to the position. */
  prefix: string;
  /** Names that stand beside it already. */
  siblings: string[];
  /** Column of the names beside it. */
  column: number;
}

interface Line {
  /** Columns of the dashes that begin it. */
  dashes: number[];
  /** Where what follows them begins. */
  column: number;
  key: string | null;
  value: string;
}

const shape = /^( *)((?:- +)*(?:-$)?)(?:("[^"]*"|'[^']*'|[^\s#:'"[{-][^:#]*?|-[^\s:][^:#]*?):(?: +(.*)|$))?(.*)$/;

function readLine(text: string): Line | null {
  if (/^\s*(#|$)/.test(text)) return null;
  const [, spaces = "", marks = "", key, value = "", rest = ""] = shape.exec(text) ?? [];
  const dashes = [...marks.matchAll(/-/g)].map(({ index }) => spaces.length + index);
  const column = spaces.length + marks.length + (marks.endsWith("-") ? 1 : 0);
  return { dashes, column, key: key?.replace(/^["']|["']$/g, "") ?? null, value: key === undefined ? rest : value };
}

/** The context at an offset of a text, told by indentation alone, so that a text which is being written has one, too. */
export function contextAt(text: string, offset: number): YamlContext {
  const before = text.slice(0, offset);
  const start = Math.max(0, before.lastIndexOf("\n---") + 1);
  const rest = text.slice(start);
  const end = /\n---/.exec(rest.slice(offset - start))?.index;
  const document = end === undefined ? rest : rest.slice(0, offset - start + end);
  const lines = document.split("\n");
  const row = before.slice(start).split("\n").length - 1;
  const kind = /^kind:[ \t]*(\S+)/m.exec(document)?.[1] ?? null;
  const written = before.slice(before.lastIndexOf("\n") + 1);
  const line = readLine(written) ?? { dashes: [], column: written.length, key: null, value: "" };
  const isValue = line.key !== null;
  const path = [...parents(lines, row, line), ...(line.key === null ? [] : [line.key])];
  return {
    kind,
    path,
    writes: isValue ? "value" : "name",
    prefix: line.value.trimStart(),
    siblings: siblingsOf(lines, row, line),
    column: line.column,
  };
}

/** The way from the root to the map or list that a line is in. */
function parents(lines: readonly string[], row: number, line: Line): string[] {
  const path: string[] = [];
  let column = line.column;
  let isItem = false;
  const leave = (dashes: readonly number[]) => {
    for (const dash of dashes.toReversed()) {
      path.unshift("[]");
      column = dash;
      isItem = true;
    }
  };
  leave(line.dashes);
  for (let at = row - 1; at >= 0 && (column > 0 || isItem); at--) {
    const above = readLine(lines[at] ?? "");
    if (!above) continue;
    const first = above.dashes[0] ?? above.column;
    if (isItem ? above.key !== null && above.column <= column : above.key !== null && above.column < column) {
      path.unshift(above.key ?? "");
      column = above.column;
      isItem = false;
      leave(above.dashes);
    } else if (!isItem && above.column === column && above.dashes.length > 0) leave(above.dashes);
    else if (first < column && above.key === null && above.dashes.length === 0) break;
  }
  return path;
}

function siblingsOf(lines: readonly string[], row: number, line: Line): string[] {
  const found: string[] = [];
  const look = (at: number): boolean => {
    const other = readLine(lines[at] ?? "");
    if (!other) return true;
    if (other.column < line.column) return false;
    if (other.column === line.column && other.key !== null) found.push(other.key);
    return true;
  };
  if (line.dashes.length === 0) {
    for (let at = row - 1; at >= 0 && look(at); at--)
      if ((readLine(lines[at] ?? "")?.dashes.at(-1) ?? -1) >= 0 && readLine(lines[at] ?? "")?.column === line.column)
        break;
  }
  for (let at = row + 1; at < lines.length; at++) {
    const dash = readLine(lines[at] ?? "")?.dashes[0];
    if ((dash !== undefined && dash < line.column) || !look(at)) break;
  }
  return found;
}
