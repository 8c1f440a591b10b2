import type { HTTPMatchRequest, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { type Told, told } from "../../../contract/index.ts";
import type { Finding } from "./warning.ts";

/** Rules that no request reaches, because an earlier one takes it: Istio warns of the same. */
export function* unreachableRules({ spec }: ConfigObject): Generator<Finding> {
  const rules = spec as unknown as VirtualServiceSpec;
  for (const protocol of ["http", "tls", "tcp"] as const) yield* unreachableIn(protocol, rules[protocol] ?? []);
}

interface Rule {
  match?: readonly object[] | undefined;
  /** It takes what its delegate does, and leaves the rest to those after it. */
  delegate?: object | undefined;
}

function* unreachableIn(protocol: string, rules: readonly Rule[]): Generator<Finding> {
  const takesAll = rules.findIndex(
    ({ match = [], delegate }) => delegate === undefined && (match.length === 0 || match.some(isEverything)),
  );
  const seen = new Map<string, number>();
  const prefixes = new PlainPrefixes();
  for (const [index, { match = [], delegate }] of rules.entries()) {
    const path = `spec.${protocol}[${index}]`;
    if (takesAll >= 0 && index > takesAll) {
      const rest = rules.length - index - 1;
      const taker = `${protocol}[${takesAll}]`;
      const after =
        rest > 0 ? told("rules-after-all", { rule: taker, count: rest }) : told("rule-after-all", { rule: taker });
      yield { path, ...after };
      return;
    }
    const why = match.map((one) => reasonAgainst(one, protocol, seen, prefixes));
    const [first] = why;
    if (first && why.every(Boolean)) yield { path, ...tellOf("rule", first) };
    else {
      for (const [position, reason] of why.entries()) {
        if (reason) yield { path: `${path}.match[${position}]`, ...tellOf("match", reason) };
      }
    }
    for (const one of delegate === undefined ? match : []) {
      if (!seen.has(textOf(one))) seen.set(textOf(one), index);
      if (protocol === "http") prefixes.add(one, index);
    }
  }
}

function reasonAgainst(
  match: HTTPMatchRequest,
  protocol: string,
  seen: ReadonlyMap<string, number>,
  prefixes: PlainPrefixes,
): Against | undefined {
  const twin = seen.get(textOf(match));
  if (twin !== undefined) return { rule: `${protocol}[${twin}]` };
  const cover = protocol === "http" ? prefixes.covering(match) : undefined;
  return cover && { rule: `http[${cover.index}]`, prefix: JSON.stringify(cover.prefix) };
}

/** The earlier rule that takes what a match would: by the same match, or by a prefix. */
interface Against {
  rule: string;
  prefix?: string;
}

const tellOf = (what: "rule" | "match", { rule, prefix }: Against): Told =>
  prefix === undefined ? told(`${what}-twin`, { rule }) : told(`${what}-prefixed`, { rule, prefix });

/** Without its name, which decides nothing. */
const textOf = ({ name: _, ...conditions }: { name?: string }): string => JSON.stringify(conditions);

/** A match without a condition, or with a prefix that every path has. */
const isEverything = (match: HTTPMatchRequest): boolean =>
  Object.keys(match).every((key) => key === "name" || key === "ignoreUriCase" || key === "uri") &&
  (match.uri === undefined || match.uri.prefix === "" || match.uri.prefix === "/");

/** Matches with a prefix and no other condition. Looked through by their lengths, so that many of them cost little. */
class PlainPrefixes {
  readonly #rules = new Map<string, number>();
  readonly #lengths = new Set<number>();

  add(match: HTTPMatchRequest, index: number): void {
    const prefix = match.uri?.prefix;
    if (!prefix || Object.keys(match).some((key) => key !== "uri" && key !== "name")) return;
    if (this.#rules.has(prefix)) return;
    this.#rules.set(prefix, index);
    this.#lengths.add(prefix.length);
  }

  /** The earlier rule that takes every path of this match. */
  covering({ uri, ignoreUriCase }: HTTPMatchRequest): { index: number; prefix: string } | undefined {
    const wanted = uri?.exact ?? uri?.prefix;
    if (wanted === undefined || ignoreUriCase) return undefined;
    for (const length of this.#lengths) {
      const prefix = wanted.slice(0, length);
      const index = length <= wanted.length ? this.#rules.get(prefix) : undefined;
      if (index !== undefined) return { index, prefix };
    }
    return undefined;
  }
}
