import type { ConfigObject } from "../config/object.ts";
import type { PolicyCheck, RefusedCall } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import { createJudge, type Judge } from "./judge.ts";
import { type RecordedCall, sampleOf } from "./recorded-call.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

export type CheckedCalls = Omit<PolicyCheck, "fromMs" | "toMs" | "evidence">;

const mostShown = 100;

/** Judges calls, again and again as they come: what was judged once is known. */
export type PolicyChecker = (calls: readonly RecordedCall[]) => CheckedCalls;

/** Kinds of calls of which the verdict is remembered; past it all are judged anew. */
const mostVerdicts = 50_000;

/** `before` is the mesh as it is, `after` the mesh with the policies that are asked about in force. Both are immutable, and so is a verdict. */
export function createChecker(before: Mesh, after: Mesh, workloads: readonly AdvisedWorkload[]): PolicyChecker {
  const missing = new Set<string>();
  const judges = new Map(
    workloads.map(({ namespace, name, proxy }) => [
      `${namespace}/${name}`,
      { changed: createJudge(after, proxy, missing), present: createJudge(before, proxy, new Set()) },
    ]),
  );
  const verdicts = new Map<string, CallVerdict>();
  return (calls) => {
    if (verdicts.size > mostVerdicts) verdicts.clear();
    const result = { judged: 0, wouldRefuse: 0, already: 0, undecided: 0 };
    const refused = new Map<string, RefusedCall>();
    for (const call of calls) {
      const judge = judges.get(destinationOf(call));
      if (judge === undefined) continue;
      result.judged++;
      const key = keyOf(call);
      const verdict = verdicts.get(key) ?? verdictOn(call, judge);
      verdicts.set(key, verdict);
      if (verdict.kind === "allowed") continue;
      result[verdict.kind]++;
      if (verdict.kind === "wouldRefuse") addRefused(refused, refusedCall(call, verdict.rule));
    }
    const shown = [...refused.values()].sort((a, b) => b.calls - a.calls || b.at - a.at).slice(0, mostShown);
    return { ...result, missing: [...missing].sort(), refused: shown };
  };
}

/** Once. */
export const checkCalls = (
  before: Mesh,
  after: Mesh,
  workloads: readonly AdvisedWorkload[],
  calls: readonly RecordedCall[],
): CheckedCalls => createChecker(before, after, workloads)(calls);

interface CallVerdict {
  readonly kind: "allowed" | "wouldRefuse" | "already" | "undecided";
  readonly rule: string;
}

const destinationOf = ({ destination }: RecordedCall): string => `${destination.namespace}/${destination.workload}`;

/** All that a verdict can depend on. */
const keyOf = (call: RecordedCall): string =>
  [
    ...[call.caller, call.mtls, call.identity, destinationOf(call), call.destination.address, call.port],
    ...[call.protocol, call.refused, call.method, call.path, call.authority],
  ].join(" ");

function verdictOn(call: RecordedCall, { changed, present }: { changed: Judge; present: Judge }): CallVerdict {
  if (call.refused) return { kind: "already", rule: "" };
  const { kind, rule } = changed(call);
  if (kind !== "refused") return { kind, rule: "" };
  return present(call).kind === "refused" ? { kind: "already", rule: "" } : { kind: "wouldRefuse", rule };
}

/** Calls that are alike are one, as the newest of them was. */
function addRefused(refused: Map<string, RefusedCall>, call: RefusedCall): void {
  const { caller, principal, destination, port, method, path, rule } = call;
  const key = [caller, principal, destination, port, method, path, rule].join(" ");
  const same = refused.get(key);
  if (same === undefined) refused.set(key, call);
  else if (same.at >= call.at) same.calls++;
  else refused.set(key, { ...call, calls: same.calls + 1 });
}

const refusedCall = (call: RecordedCall, rule: string): RefusedCall => ({
  ...sampleOf(call),
  caller: call.caller,
  principal: call.identity ?? "",
  destination: destinationOf(call),
  port: call.port ?? null,
  rule,
  calls: 1,
});

/** A policy that is on trial is asked about as if it were in force. */
export function inForce(object: ConfigObject): ConfigObject {
  const { "istio.io/dry-run": _, ...annotations } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations } };
}
