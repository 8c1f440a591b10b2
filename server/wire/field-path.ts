/** `spec.http[0].match[1].headers["end-user"]`: array indexes in brackets, names that are no identifiers quoted. */
export function formatPath(path: readonly PropertyKey[], root = ""): string {
  let text = root;
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(String(key))) text += text === "" ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** The keys of a path as `formatPath` writes it. */
export function parsePath(path: string): (string | number)[] {
  const pattern = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;
  return [...path.matchAll(pattern)].map(([, index, quoted, plain]) => {
    if (index !== undefined) return Number(index);
    return quoted !== undefined ? String(JSON.parse(`"${quoted}"`)) : (plain ?? "");
  });
}
