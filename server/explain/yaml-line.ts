import { isMap, isSeq, LineCounter, parseDocument } from "yaml";

/**
 * The line, counted from one, on which a field of an object's YAML begins; null when there is no such field.
 * @param path below `spec`: `http[2].match[0]`, or `subsets[v1]` for the item of that name; "": the object's name
 */
export function lineOfField(yaml: string, path: string): number | null {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines });
  const keys = path === "" ? ["metadata", "name"] : ["spec", ...keysOf(path)];
  let node: unknown = document.contents;
  for (const key of keys) node = child(node, key);
  const { range } = (node ?? {}) as { range?: readonly number[] | null };
  return range?.[0] === undefined ? null : lines.linePos(range[0]).line;
}

const keysOf = (path: string): string[] =>
  [...path.matchAll(/\[([^\]]+)\]|[^.[\]]+/g)].map(([text, item]) => item ?? text);

function child(node: unknown, key: string): unknown {
  if (isMap(node)) return node.get(/^\d+$/.test(key) && !node.has(key) ? Number(key) : key, true);
  if (!isSeq(node)) return undefined;
  return /^\d+$/.test(key)
    ? node.items[Number(key)]
    : node.items.find((item) => isMap(item) && item.get("name") === key);
}
