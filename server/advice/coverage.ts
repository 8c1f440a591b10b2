import type { CoverageReport, CoveredCall, SpeakingPolicy } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import type { RollupSum } from "../query/reader.ts";
import type { Guarding } from "./guarding.ts";
import { createJudge, type Judge } from "./judge.ts";
import { callerOf } from "./mutual-tls.ts";
import { type ReachOf, together } from "./reach.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { refusalOf } from "./refusal.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

export interface CoverageInput {
  mesh: Mesh;
  workloads: readonly AdvisedWorkload[];
  /** `<namespace>/<workload>` → SPIFFE id. */
  identities: ReadonlyMap<string, string>;
  /** Of every call, as its destination told it. */
  sums: readonly RollupSum[];
  /** Of lines that are kept of these calls. */
  calls: readonly RecordedCall[];
  guarding: Guarding;
  reach: ReachOf;
}

/** Beyond which pairs that did not call are not judged. */
const mostPairs = 2_500;

/** Who called whom, what policies say of it, and who else could. */
export function coverage(input: CoverageInput): Omit<CoverageReport, "fromMs" | "toMs" | "evidence"> {
  const { workloads, sums, guarding } = input;
  const apps = Map.groupBy(workloads, ({ namespace, app }) => `${namespace}/${app}`);
  const seen = pairsOf(input);
  const calls = [...seen.values()]
    .map(({ caller, called, ...counts }): CoveredCall => {
      const guarded = apps.get(called) ?? [];
      return {
        caller,
        called,
        gateway: guarded.some(({ isGateway }) => isGateway),
        ...counts,
        reach: reachOf(input, apps, caller, called),
        policies: speaking(guarding, guarded),
      };
    })
    .sort((a, b) => b.calls - a.calls);
  addRules(input, seen, calls);
  const callers = new Set([...apps.keys(), ...sums.map(({ edge }) => appOf(edge.source))]);
  const idleLeftOut = callers.size * apps.size > mostPairs;
  const idle = idleLeftOut
    ? []
    : [...callers].flatMap((caller) =>
        [...apps.keys()].flatMap((called) => {
          if (caller === called || seen.has(pairKey(caller, called))) return [];
          const reach = reachOf(input, apps, caller, called);
          return reach === "none" ? [] : [{ caller, called, reach }];
        }),
      );
  const unguarded = [...apps].filter(([, all]) => all.some((it) => guarding.policies(it).length === 0));
  return { calls, idle, idleLeftOut, unguarded: unguarded.map(([app]) => app).sort() };
}

const pairKey = (caller: string, called: string): string => `${caller} ${called}`;

/** `<namespace>/<app>`; empty: nobody knows. */
const appOf = ({ namespace, app }: { namespace: string; app: string }): string =>
  app === "" ? "" : `${namespace}/${app}`;

type Pair = Pick<CoveredCall, "caller" | "called" | "calls" | "mutual" | "refused">;

function pairsOf({ sums, calls }: CoverageInput): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  const pairOf = new Map<string, Pair>();
  for (const { edge, count } of sums) {
    const [caller, called] = [appOf(edge.source), appOf(edge.destination)];
    const key = pairKey(caller, called);
    const pair = pairs.get(key) ?? { caller, called, calls: 0, mutual: 0, refused: 0 };
    pairs.set(key, pair);
    pairOf.set(pairKey(callerOf(edge.source), callerOf(edge.destination)), pair);
    pair.calls += count;
    if (edge.mtls) pair.mutual += count;
  }
  for (const { caller, destination, details } of calls) {
    const pair = refusalOf(details) && pairOf.get(pairKey(caller, callerOf(destination)));
    if (pair) pair.refused++;
  }
  return pairs;
}

/** An application's callers are its workloads, each by its own certificate. */
function reachOf(
  { identities, reach, sums }: CoverageInput,
  apps: ReadonlyMap<string, readonly AdvisedWorkload[]>,
  caller: string,
  called: string,
) {
  const own =
    apps.get(caller)?.map(({ namespace, name }) => `${namespace}/${name}`) ??
    sums.filter(({ edge }) => appOf(edge.source) === caller).map(({ edge }) => callerOf(edge.source));
  const names = new Set(own.map((it) => identities.get(it)));
  const callers = names.size > 0 ? [...names] : [undefined];
  return together((apps.get(called) ?? []).flatMap((it) => callers.map((identity) => reach(identity, it))));
}

function speaking(guarding: Guarding, workloads: readonly AdvisedWorkload[]): SpeakingPolicy[] {
  const all = workloads.flatMap((it) => guarding.policies(it));
  return [...new Set(all)].map(({ namespace, name, action, dryRun }) => ({
    namespace,
    name,
    action,
    dryRun,
    rules: [],
  }));
}

/** Which rules decided: judged again, as only refusals are told with their rule. */
function addRules(
  { mesh, workloads, calls }: CoverageInput,
  seen: ReadonlyMap<string, Pair>,
  covered: readonly CoveredCall[],
) {
  const own = new Map(workloads.map((it) => [`${it.namespace}/${it.name}`, it]));
  const policies = new Map(covered.map((it) => [pairKey(it.caller, it.called), it.policies]));
  const judges = new Map<string, Judge>();
  const judged = new Set<string>();
  for (const call of calls) {
    const to = callerOf(call.destination);
    const alike = [call.caller, call.identity, to, call.port, call.method, call.path, call.authority].join(" ");
    const called = own.get(to);
    if (called === undefined || judged.has(alike)) continue;
    judged.add(alike);
    const judge = judges.get(to) ?? createJudge(mesh, called.proxy, new Set());
    judges.set(to, judge);
    const rule = ruleOf(judge(call).rule);
    const from = own.get(call.caller);
    const key = pairKey(from ? appOf(from) : "", appOf(called));
    const policy = seen.has(key) && policies.get(key)?.find((it) => `${it.namespace}/${it.name}` === rule?.policy);
    if (rule && policy && !policy.rules.includes(rule.index)) policy.rules.push(rule.index);
  }
}

/** `default/reviews rules[0]`, as the judge names a rule. */
export function ruleOf(text: string): { policy: string; index: number } | undefined {
  const [, policy = "", index] = /^(\S+) rules\[(\d+)\]$/.exec(text) ?? [];
  return index === undefined ? undefined : { policy, index: Number(index) };
}
