import type { MeshObject } from "../../config/document/read-object.ts";
import type { Path, YamlEdit } from "../../config/document/yaml-edit.ts";

/**
 * Rules that somebody has switched off are no part of a VirtualService's spec: Istio has no such thing. They stand in an annotation for each
 * list, each with its place among all its rules, and every other tool sees a VirtualService without them.
 */
export const disabledAnnotation = (list: RuleListName): string =>
  list === "http" ? "limpid.dev/disabled-rules" : `limpid.dev/disabled-${list}-rules`;

export type Rule = Readonly<Record<string, unknown>>;

/** One rule as the form lists it. */
export type RuleEntry =
  /** `index` into its list. */
  { disabled: false; index: number; rule: Rule } | { disabled: true; index: null; rule: Rule };

interface Disabled {
  at: number;
  rule: Rule;
}

/** Where a VirtualService keeps rules: of requests, and of connections by their port or server name. */
export type RuleListName = "http" | "tls" | "tcp";

export const listPath = (list: RuleListName): Path => ["spec", list];
export const httpPath = listPath("http");

/** Rules in their order, those that are switched off at their places. */
export function rulesOf(object: MeshObject, list: RuleListName = "http"): RuleEntry[] {
  const rules = object.spec?.[list];
  const entries: RuleEntry[] = (Array.isArray(rules) ? (rules as Rule[]) : []).map((rule, index) => ({
    disabled: false,
    index,
    rule: isRecord(rule) ? rule : {},
  }));
  for (const { at, rule } of disabledOf(object, list)) entries.splice(at, 0, { disabled: true, index: null, rule });
  return entries;
}

/** Lowest place first. An annotation that can't be read counts as none. */
function disabledOf(object: MeshObject, list: RuleListName): Disabled[] {
  try {
    const read: unknown = JSON.parse(object.metadata?.annotations?.[disabledAnnotation(list)] ?? "[]");
    return (Array.isArray(read) ? read : []).filter(isDisabled).toSorted((a, b) => a.at - b.at);
  } catch {
    return [];
  }
}

const isRecord = (value: unknown): value is Rule =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isDisabled = (value: unknown): value is Disabled =>
  isRecord(value) && Number.isInteger(value.at) && isRecord(value.rule);

/** Where a list of all rules puts the one that is `at` there, counted without those that are switched off. */
const enabledBefore = (entries: readonly RuleEntry[], at: number): number =>
  entries.slice(0, at).filter(({ disabled }) => !disabled).length;

/** Writes down which rules are off, as `entries` have them. */
function noted(entries: readonly RuleEntry[], list: RuleListName): YamlEdit {
  const off = entries.flatMap((entry, at): Disabled[] => (entry.disabled ? [{ at, rule: entry.rule }] : []));
  const path = ["metadata", "annotations", disabledAnnotation(list)];
  return { op: "set", path, value: off.length > 0 ? JSON.stringify(off) : undefined };
}

/** Only where there are such, so that an object without them stays without the annotation. */
const noteIfAny = (before: readonly RuleEntry[], after: readonly RuleEntry[], list: RuleListName): YamlEdit[] =>
  [...before, ...after].some(({ disabled }) => disabled) ? [noted(after, list)] : [];

export function moveRule(
  entries: readonly RuleEntry[],
  from: number,
  to: number,
  list: RuleListName = "http",
): YamlEdit[] {
  const entry = entries[from];
  if (!entry || to < 0 || to >= entries.length || from === to) return [];
  const others = entries.filter((_, at) => at !== from);
  const after = others.toSpliced(to, 0, entry);
  const target = enabledBefore(others, to);
  const moved: YamlEdit[] =
    entry.disabled || entry.index === target
      ? []
      : [{ op: "move", path: listPath(list), from: entry.index, to: target }];
  return [...moved, ...noteIfAny(entries, after, list)];
}

/** Off: out of the spec and into the annotation. On: back to its place. */
export function toggleRule(entries: readonly RuleEntry[], at: number, list: RuleListName = "http"): YamlEdit[] {
  const entry = entries[at];
  if (!entry) return [];
  if (entry.disabled) {
    const after = entries.with(at, { disabled: false, index: -1, rule: entry.rule });
    const back: YamlEdit = { op: "insert", path: listPath(list), index: enabledBefore(entries, at), value: entry.rule };
    return [back, noted(after, list)];
  }
  const after = entries.with(at, { disabled: true, index: null, rule: entry.rule });
  return [{ op: "set", path: [...listPath(list), entry.index], value: undefined }, noted(after, list)];
}

export function deleteRule(entries: readonly RuleEntry[], at: number, list: RuleListName = "http"): YamlEdit[] {
  const entry = entries[at];
  if (!entry) return [];
  const after = entries.toSpliced(at, 1);
  const path = [...listPath(list), entry.index ?? 0];
  const gone: YamlEdit[] = entry.disabled ? [] : [{ op: "set", path, value: undefined }];
  return [...gone, ...noteIfAny(entries, after, list)];
}

/** The copy stands behind, and is off where the original is. */
export function duplicateRule(entries: readonly RuleEntry[], at: number, list: RuleListName = "http"): YamlEdit[] {
  const entry = entries[at];
  if (!entry) return [];
  const copied: YamlEdit[] = entry.disabled ? [] : [{ op: "duplicate", path: listPath(list), index: entry.index }];
  return [...copied, ...noteIfAny(entries, entries.toSpliced(at, 0, entry), list)];
}

export function addRule(
  entries: readonly RuleEntry[],
  at: number,
  rule: Rule,
  list: RuleListName = "http",
): YamlEdit[] {
  const after = entries.toSpliced(at, 0, { disabled: false, index: -1, rule });
  const added: YamlEdit = { op: "insert", path: listPath(list), index: enabledBefore(entries, at), value: rule };
  return [added, ...noteIfAny(entries, after, list)];
}

/** Tells a rule's parts from those of others, for tests and whoever looks for them: `0`, `tcp-0`. */
export const ruleId = ([, list, index]: Path): string => (list === "http" ? String(index) : `${list}-${index}`);

/** One that would take everything away from those below it begins with a condition; one of TLS needs a server name. */
export function newRule(list: RuleListName, host: string, { spec }: MeshObject, isLimited: boolean): Rule {
  const route = [{ destination: { host } }];
  if (list === "http") return { ...(isLimited && { match: [{ uri: { prefix: "/new" } }] }), route };
  if (list === "tcp") return { ...(isLimited && { match: [{ port: 9000 }] }), route };
  const [name = host] = Array.isArray(spec?.hosts) ? spec.hosts.map(String) : [];
  return { match: [{ port: 443, sniHosts: [name] }], route };
}

export const firstRule = (list: RuleListName, host: string, object: MeshObject): Rule =>
  newRule(list, host, object, false);
