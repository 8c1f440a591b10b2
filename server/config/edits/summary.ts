import type { Change } from "../../contract/changes.ts";
import type { HTTPRoute, VirtualServiceSpec } from "../kinds/index.ts";
import type { ConfigObject } from "../object.ts";
import { sameJson } from "../plan-commit.ts";
import type { Commit, ConfigChange } from "../store.ts";
import { describeFault } from "./describe.ts";

/** A commit as the dashboard lists it: what it was about, in a few words. */
export function changeOf(commit: Commit): Change {
  const read = commit.changes.map(readChange);
  const order = ["fault-start", "fault-end", "traffic", "config"] as const;
  const main = order.map((kind) => read.find((entry) => entry.kind === kind)).find((entry) => entry !== undefined);
  const others = commit.changes.length > 1 && main?.kind === "config" ? ` and ${commit.changes.length - 1} more` : "";
  return {
    revision: commit.revision,
    at: commit.at,
    author: commit.author,
    summary: commit.reason ?? `${main?.summary ?? "nothing"}${others}`,
    kind: main?.kind ?? "config",
    objects: commit.changes.map(({ type, key }) => ({ type, ...key })),
  };
}

function readChange(change: ConfigChange): Pick<Change, "kind" | "summary"> {
  const { kind, name } = change.key;
  if (kind === "VirtualService") {
    const [before, after] = [rulesOf(change.before), rulesOf(change.after)];
    const started = after.find((rule) => rule.fault !== undefined && !hasFault(before, rule));
    if (started?.fault !== undefined)
      return { kind: "fault-start", summary: `fault on ${name}: ${describeFault(started.fault)}` };
    if (before.some((rule) => rule.fault !== undefined && !hasFault(after, rule))) {
      return { kind: "fault-end", summary: `fault on ${name} ended` };
    }
    const shift = weightShift(before, after);
    if (shift !== undefined) return { kind: "traffic", summary: `${name} ${shift}` };
  }
  const verb = { ADDED: "added", MODIFIED: "changed", DELETED: "deleted" }[change.type];
  return { kind: "config", summary: `${kind} ${name} ${verb}` };
}

const rulesOf = (object: ConfigObject | undefined): HTTPRoute[] =>
  (object?.spec as VirtualServiceSpec | undefined)?.http ?? [];

const hasFault = (rules: readonly HTTPRoute[], { fault }: HTTPRoute) =>
  rules.some((rule) => sameJson(rule.fault, fault));

/** `80/20/0 → 70/20/10`, of the first rule whose weights differ; each side by the subsets of both, in order. */
function weightShift(before: readonly HTTPRoute[], after: readonly HTTPRoute[]): string | undefined {
  for (const [index, rule] of after.entries()) {
    const old = before[index];
    if (old === undefined || sameJson(old.route, rule.route)) continue;
    const [from, to] = [weightsOf(old), weightsOf(rule)];
    const names = [...new Set([...from.keys(), ...to.keys()])];
    const line = (weights: Map<string, number>) => names.map((name) => weights.get(name) ?? 0).join("/");
    if (line(from) !== line(to)) return `${line(from)} → ${line(to)}`;
  }
  return undefined;
}

function weightsOf({ route = [] }: HTTPRoute): Map<string, number> {
  const only = route.length === 1 ? 100 : undefined;
  return new Map(
    route.map(({ destination, weight }) => [`${destination.host} ${destination.subset ?? ""}`, only ?? weight ?? 0]),
  );
}
