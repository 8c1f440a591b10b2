import { z } from "zod";

/** One condition that a rule has on its requests, in parts that a page puts into its reader's language. */
export const Condition = z.discriminatedUnion("about", [
  z.object({
    about: z.enum(["uri", "scheme", "method", "authority", "header", "query"]),
    /** Of the header or the parameter; empty for the others. */
    name: z.string(),
    op: z.enum(["exact", "prefix", "regex", "present"]),
    /** Empty when it need only be there. */
    value: z.string(),
    /** What the condition says must not be. */
    not: z.boolean(),
    anyCase: z.boolean(),
  }),
  z.object({ about: z.literal("port"), port: z.number() }),
  /** `labels`: `reviews v3`, and `tier=gold` of labels that are no name or version; empty, as the namespace, where it says nothing. */
  z.object({ about: z.literal("caller"), labels: z.array(z.string()), namespace: z.string() }),
  z.object({ about: z.literal("gateways"), gateways: z.array(z.string()) }),
]);
export type Condition = z.infer<typeof Condition>;

/** Alternatives, each of conditions that must all hold; none at all: every request. */
export const Conditions = z.array(z.array(Condition));
export type Conditions = z.infer<typeof Conditions>;

/** Istio's StringMatch, as far as anything is said of it. */
export interface StringParts {
  exact?: string | undefined;
  prefix?: string | undefined;
  regex?: string | undefined;
}

/** Istio's HTTPMatchRequest, as far as conditions are told of it. */
export interface MatchParts {
  uri?: StringParts | undefined;
  scheme?: StringParts | undefined;
  method?: StringParts | undefined;
  authority?: StringParts | undefined;
  headers?: Record<string, StringParts> | undefined;
  withoutHeaders?: Record<string, StringParts> | undefined;
  queryParams?: Record<string, StringParts> | undefined;
  ignoreUriCase?: boolean | undefined;
  port?: number | undefined;
  sourceLabels?: Record<string, string> | undefined;
  sourceNamespace?: string | undefined;
  gateways?: string[] | undefined;
}

/** What a match asks for, one by one. */
export function conditionsOf(match: MatchParts): Condition[] {
  const found: Condition[] = [];
  if (match.uri !== undefined) found.push(condition("uri", "", match.uri, { anyCase: match.ignoreUriCase === true }));
  for (const key of ["scheme", "method", "authority"] as const) {
    const value = match[key];
    if (value !== undefined) found.push(condition(key, "", value));
  }
  for (const [name, value] of Object.entries(match.headers ?? {})) found.push(condition("header", name, value));
  for (const [name, value] of Object.entries(match.withoutHeaders ?? {}))
    found.push(condition("header", name, value, { not: true }));
  for (const [name, value] of Object.entries(match.queryParams ?? {})) found.push(condition("query", name, value));
  if (match.port !== undefined) found.push({ about: "port", port: match.port });
  const caller = callerOf(match);
  if (caller !== undefined) found.push(caller);
  if (match.gateways !== undefined && match.gateways.length > 0)
    found.push({ about: "gateways", gateways: match.gateways });
  return found;
}

/** `reviews v3`; labels that are no name or version as they are. */
function callerOf({ sourceLabels = {}, sourceNamespace = "" }: MatchParts): Condition | undefined {
  const { app, version, ...others } = sourceLabels;
  const labels = Object.entries(app === undefined && version !== undefined ? { version, ...others } : others);
  const words = [
    ...(app === undefined ? [] : [[app, version].filter(Boolean).join(" ")]),
    ...labels.map(([key, value]) => `${key}=${value}`),
  ];
  if (words.length === 0 && sourceNamespace === "") return undefined;
  return { about: "caller", labels: words, namespace: sourceNamespace };
}

type StringCondition = Extract<Condition, { op: string }>;

function condition(
  about: StringCondition["about"],
  name: string,
  match: StringParts,
  { not = false, anyCase = false }: { not?: boolean; anyCase?: boolean } = {},
): Condition {
  const said = (op: StringCondition["op"], value: string) => ({ about, name, op, value, not, anyCase });
  if (match.exact !== undefined) return said("exact", match.exact);
  if (match.prefix !== undefined) return said("prefix", match.prefix);
  return (match.regex ?? "*") === "*" ? said("present", "") : said("regex", match.regex ?? "");
}
