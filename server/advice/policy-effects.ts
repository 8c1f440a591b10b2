import { authorizationPolicy } from "../config/kinds/authorization-policy.ts";
import type { ConfigObject } from "../config/object.ts";
import type { PolicyEffect } from "../contract/index.ts";
import { buildMesh, type Mesh } from "../model/mesh.ts";
import { checkCalls, inForce } from "./check.ts";
import { ruleOf } from "./coverage.ts";
import type { Guarding } from "./guarding.ts";
import { createJudge, type Judge } from "./judge.ts";
import { callerOf } from "./mutual-tls.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { refusalOf } from "./refusal.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

export interface EffectsInput {
  mesh: Mesh;
  objects: readonly ConfigObject[];
  workloads: readonly AdvisedWorkload[];
  /** Of lines that are kept. */
  calls: readonly RecordedCall[];
  guarding: Guarding;
}

/** Trials are judged call by call, once for each. */
const mostTrials = 20;

/** What each policy allowed and refused of recorded calls, and what one on trial would have refused; those that refuse most first. */
export function policyEffects(input: EffectsInput): PolicyEffect[] {
  const { mesh, workloads, guarding } = input;
  const counts = countsOf(input);
  let trials = 0;
  return [...mesh.authorizationPolicies.values()]
    .flat()
    .map(({ namespace, name, action, dryRun }): PolicyEffect => {
      const its = counts.get(`${namespace}/${name}`) ?? { allowed: 0, refused: 0 };
      const guarded = workloads.filter((it) =>
        guarding.policies(it).some((policy) => policy.namespace === namespace && policy.name === name),
      );
      const isTried = dryRun && ++trials <= mostTrials;
      const trial = isTried ? trialOf(input, { namespace, name }, guarded) : null;
      return { namespace, name, action, dryRun, ...its, trial };
    })
    .sort(
      (a, b) =>
        b.refused - a.refused ||
        (b.trial?.wouldRefuse ?? 0) - (a.trial?.wouldRefuse ?? 0) ||
        `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`),
    );
}

function countsOf({ mesh, workloads, calls, guarding }: EffectsInput) {
  const own = new Map(workloads.map((it) => [`${it.namespace}/${it.name}`, it]));
  const judges = new Map<AdvisedWorkload, Judge>();
  const counts = new Map<string, { allowed: number; refused: number }>();
  const count = (policy: string, what: "allowed" | "refused") => {
    const its = counts.get(policy) ?? { allowed: 0, refused: 0 };
    counts.set(policy, its);
    its[what]++;
  };
  for (const call of calls) {
    const called = own.get(callerOf(call.destination));
    if (called === undefined) continue;
    const refusal = refusalOf(call.details);
    if (refusal?.rule) count(`${refusal.rule.namespace}/${refusal.rule.name}`, "refused");
    else if (refusal?.kind === "no-rule") {
      for (const { namespace, name, action, dryRun } of guarding.policies(called))
        if (action === "ALLOW" && !dryRun) count(`${namespace}/${name}`, "refused");
    } else if (refusal === undefined) {
      const judge = judges.get(called) ?? createJudge(mesh, called.proxy, new Set());
      judges.set(called, judge);
      const verdict = judge(call);
      const policy = verdict.kind === "allowed" ? ruleOf(verdict.rule)?.policy : undefined;
      if (policy !== undefined) count(policy, "allowed");
    }
  }
  return counts;
}

function trialOf(
  { mesh, objects, calls }: EffectsInput,
  { namespace, name }: { namespace: string; name: string },
  guarded: readonly AdvisedWorkload[],
): PolicyEffect["trial"] {
  const isIt = ({ kind, metadata }: ConfigObject) =>
    kind === authorizationPolicy.kind && metadata.namespace === namespace && metadata.name === name;
  const after = buildMesh(
    objects.map((it) => (isIt(it) ? inForce(it) : it)),
    0,
    mesh.options,
  );
  const { judged, wouldRefuse } = checkCalls(mesh, after, guarded, calls);
  return { judged, wouldRefuse };
}
