/** What an expression looks at: a node or an edge of the graph. */
export interface Findable {
  /** Everything that a bare word may be part of, lower case. */
  text: string;
  /** What it is called, lower case; of a field that it has not, nothing can be said: `not name = x` finds no call. */
  words: Readonly<Partial<Record<TextField, readonly string[]>>>;
  /** Which of the `facts` words are true of it. */
  facts: ReadonlySet<string>;
  /** Share, 0..1. */
  errors: number;
  /** Per second. */
  rate: number;
  /** Milliseconds; null without a request. */
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Share of 4xx, 0..1. */
  "client-errors": number;
  /** Per second, both ways; null where bytes are not counted. */
  bytes: number | null;
}

/** `name`, `app`, `namespace` (or `ns`), `version`, `workload` and `kind` are a node's; `from`, `to`, `protocol`, `code` and `grpc-status` a call's; both have `service`s. */
export const textFields = [
  ...["name", "app", "namespace", "version", "workload", "kind", "service"],
  ...["from", "to", "protocol", "code", "grpc-status"],
] as readonly TextField[];
export type TextField =
  | "name"
  | "app"
  | "namespace"
  | "version"
  | "workload"
  | "kind"
  | "service"
  | "from"
  | "to"
  | "protocol"
  | "code"
  | "grpc-status";

export type FindError =
  | { key: "unknown-word"; word: string; at: number }
  | { key: "want-text"; field: string; operator: string }
  | { key: "unknown-operator"; field: string; operator: string }
  | { key: "want-number"; field: string; operator: string; example: string }
  | { key: "want-close" }
  | { key: "want-operand" };

export type FindResult = { ok: true; matches: ((item: Findable) => boolean) | null } | { ok: false; error: FindError };

/** Null: it has not what is asked about, and neither that nor its opposite is found. */
type Match = (item: Findable) => boolean | null;
type NumberField = "errors" | "client-errors" | "rate" | "p50" | "p95" | "p99" | "bytes";

interface Token {
  text: string;
  at: number;
}

const examples: Record<NumberField, string> = {
  errors: "1%",
  "client-errors": "5%",
  rate: "10",
  p50: "20ms",
  p95: "100ms",
  p99: "1s",
  bytes: "10kB",
};
/** Words that mean a fact and not a part of a name (`fault` is part of `default`); in quotes they are a name again. */
const facts = new Set(
  "fault split mirror circuit-breaker timeout retry gateway proxy-gone healthy degraded failing idle http grpc tcp mtls".split(
    " ",
  ),
);
/** What the fields and words of an expression are called, for completion. */
export const findWords: readonly string[] = [...Object.keys(examples), ...textFields, ...facts, "and", "or", "not"];
const isNumberField = (word: string): word is NumberField => word in examples;
const textFieldOf = (word: string): TextField | undefined =>
  word === "ns" ? "namespace" : textFields.find((field) => field === word);
const operators: Record<string, (a: number, b: number) => boolean> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** The names of Kiali's, beside its signs. */
const textOperators: Record<string, (value: string, wanted: string) => boolean> = {
  "=": (value, wanted) => value === wanted,
  "*=": (value, wanted) => value.includes(wanted),
  contains: (value, wanted) => value.includes(wanted),
  "^=": (value, wanted) => value.startsWith(wanted),
  startswith: (value, wanted) => value.startsWith(wanted),
  "$=": (value, wanted) => value.endsWith(wanted),
  endswith: (value, wanted) => value.endsWith(wanted),
};
const isSign = (word: string): boolean => /^(?:[*^$!]?=|[<>]=?|[!*^$])$/.test(word);

class Refused extends Error {
  readonly error: FindError;
  constructor(error: FindError) {
    super(error.key);
    this.error = error;
  }
}

/**
 * `errors > 1% and (name = reviews or p95 >= 100ms) and not v1`: comparisons, parts of names, and · or · not · parentheses; `and` binds tighter
 * than `or`, and may be left out. An empty text has no matcher. The words are Kiali's where it has them: https://kiali.io/docs/features/topology/#findhide
 */
export function parseFind(text: string): FindResult {
  const tokens = tokenize(text);
  if (tokens.length === 0) return { ok: true, matches: null };
  try {
    const reader = new Reader(tokens);
    const matches = reader.either();
    const rest = reader.peek();
    if (rest) throw new Refused({ key: "unknown-word", word: rest.text, at: rest.at });
    return { ok: true, matches: (item) => matches(item) === true };
  } catch (cause) {
    if (cause instanceof Refused) return { ok: false, error: cause.error };
    throw cause;
  }
}

const tokenize = (text: string): Token[] =>
  [...text.matchAll(/[<>!*^$]=|[()<>=]|"[^"]*"|[^\s()<>=!*^$"]+|[!*^$"]/g)].map((match) => ({
    text: match[0],
    at: match.index + 1,
  }));

class Reader {
  private readonly tokens: readonly Token[];
  private next = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  peek(): Token | undefined {
    return this.tokens[this.next];
  }

  private take(word: string): boolean {
    if (this.peek()?.text.toLowerCase() !== word) return false;
    this.next += 1;
    return true;
  }

  either(): Match {
    const parts = [this.all()];
    while (this.take("or")) parts.push(this.all());
    return (item) => {
      const found = parts.map((part) => part(item));
      return found.includes(true) || (found.includes(null) ? null : false);
    };
  }

  private all(): Match {
    const parts = [this.not()];
    for (;;) {
      const token = this.peek()?.text.toLowerCase();
      if (token === undefined || token === "or" || token === ")") break;
      this.take("and");
      parts.push(this.not());
    }
    return (item) => {
      const found = parts.map((part) => part(item));
      return found.includes(false) ? false : found.includes(null) ? null : true;
    };
  }

  private not(): Match {
    if (!this.take("not")) return this.operand();
    const inner = this.not();
    return (item) => {
      const found = inner(item);
      return found === null ? null : !found;
    };
  }

  private operand(): Match {
    const token = this.peek();
    if (!token) throw new Refused({ key: "want-operand" });
    this.next += 1;
    if (token.text === "(") {
      const inner = this.either();
      if (!this.take(")")) throw new Refused({ key: "want-close" });
      return inner;
    }
    const word = token.text.toLowerCase();
    const operator = this.peek()?.text ?? "";
    if (isNumberField(word) && operator in operators) return this.comparison(word, operator);
    const field = textFieldOf(word);
    if (field && (isSign(operator) || operator.toLowerCase() in textOperators)) return this.named(field, operator);
    if (/^(?:[()"]|and|or)$/.test(word) || isSign(word) || isSign(operator)) {
      throw new Refused({ key: "unknown-word", word: token.text, at: token.at });
    }
    if (facts.has(word)) return (item) => item.facts.has(word);
    const part = word.replaceAll('"', "");
    return (item) => item.text.includes(part);
  }

  private comparison(field: NumberField, operator: string): Match {
    this.next += 1;
    const value = numberOf(field, this.peek()?.text ?? "");
    if (value === null) throw new Refused({ key: "want-number", field, operator, example: examples[field] });
    this.next += 1;
    const compare = operators[operator];
    return (item) => {
      const seen = item[field];
      return seen !== null && (compare?.(seen, value) ?? false);
    };
  }

  /** The field in words, and only of what has it. */
  private named(field: TextField, operator: string): Match {
    this.next += 1;
    const not = operator === "!=";
    const compare = textOperators[not ? "=" : operator.toLowerCase()];
    if (!compare) throw new Refused({ key: "unknown-operator", field, operator });
    const token = this.peek()?.text ?? "";
    const wanted = token.replaceAll('"', "").toLowerCase();
    if (wanted === "" || token === "(" || token === ")" || isSign(token))
      throw new Refused({ key: "want-text", field, operator });
    this.next += 1;
    return ({ words }) => {
      const values = words[field];
      return values === undefined ? null : values.some((value) => compare(value, wanted)) !== not;
    };
  }
}

/** `1%` and `1` are both one percent of errors; latencies are milliseconds unless they say `s`. */
function numberOf(field: NumberField, text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(%|ms|s|rps|b|kb|mb)?$/i.exec(text);
  if (!match) return null;
  const [value, unit] = [Number(match[1]), match[2]?.toLowerCase()];
  if (field === "errors" || field === "client-errors") return unit === undefined || unit === "%" ? value / 100 : null;
  if (field === "rate") return unit === undefined || unit === "rps" ? value : null;
  if (field === "bytes") return unit === undefined || unit in bytes ? value * (bytes[unit ?? "b"] ?? 1) : null;
  if (unit === "s") return value * 1000;
  return unit === undefined || unit === "ms" ? value : null;
}

const bytes: Record<string, number> = { b: 1, kb: 1000, mb: 1_000_000 };
