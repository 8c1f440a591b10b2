export interface YamlToken {
  kind: "key" | "string" | "number" | "word" | "comment" | "mark" | "plain";
  text: string;
}

/** One line of YAML in coloured parts, good enough for reading; text in blocks (`|`) is taken line by line as well. */
export function yamlTokens(line: string): YamlToken[] {
  const tokens: YamlToken[] = [];
  const start = /^(\s*(?:-\s+)*)(.*)$/.exec(line);
  const [, lead = "", rest = ""] = start ?? [];
  if (lead) tokens.push({ kind: "mark", text: lead });
  if (rest.startsWith("#")) return [...tokens, { kind: "comment", text: rest }];
  const pair = /^((?:"[^"]*"|'[^']*'|[^\s#"'][^:#]*?)):(\s+|$)(.*)$/.exec(rest);
  if (!pair) return [...tokens, ...scalar(rest)];
  const [, key = "", gap = "", value = ""] = pair;
  tokens.push({ kind: "key", text: key }, { kind: "mark", text: `:${gap}` });
  return [...tokens, ...scalar(value)];
}

function scalar(text: string): YamlToken[] {
  if (text === "") return [];
  const comment = /^(.*?)(\s+#.*)$/.exec(text);
  if (comment && !/^["']/.test(text)) return [...scalar(comment[1] ?? ""), { kind: "comment", text: comment[2] ?? "" }];
  if (/^["']/.test(text)) return [{ kind: "string", text }];
  if (/^-?\d+(\.\d+)?$/.test(text)) return [{ kind: "number", text }];
  if (/^(true|false|null|~)$/.test(text)) return [{ kind: "word", text }];
  return [{ kind: "plain", text }];
}
