import type { ConfigObject } from "../config/object.ts";
import type { PolicyCheck, RefusedCall } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import { createJudge, type Judge } from "./judge.ts";
import { type RecordedCall, sampleOf } from "./recorded-call.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

export type CheckedCalls = Omit<PolicyCheck, "fromMs" | "toMs" | "evidence">;

const mostShown = 100;

/** `before` is the mesh as it is, `after` the mesh with the policies that are asked about in force. */
export function checkCalls(
  before: Mesh,
  after: Mesh,
  workloads: readonly AdvisedWorkload[],
  calls: readonly RecordedCall[],
): CheckedCalls {
  const missing = new Set<string>();
  const judges = new Map(
    workloads.map(({ namespace, name, proxy }) => [
      `${namespace}/${name}`,
      { changed: createJudge(after, proxy, missing), present: createJudge(before, proxy, new Set()) },
    ]),
  );
  const result = { judged: 0, wouldRefuse: 0, already: 0, undecided: 0 };
  const refused = new Map<string, RefusedCall>();
  for (const call of calls) {
    const judge = judges.get(destinationOf(call));
    if (judge === undefined) continue;
    result.judged++;
    if (call.refused) result.already++;
    else count(result, refused, call, judge);
  }
  const shown = [...refused.values()].sort((a, b) => b.calls - a.calls || b.at - a.at).slice(0, mostShown);
  return { ...result, missing: [...missing].sort(), refused: shown };
}

const destinationOf = ({ destination }: RecordedCall): string => `${destination.namespace}/${destination.workload}`;

function count(
  result: { wouldRefuse: number; already: number; undecided: number },
  refused: Map<string, RefusedCall>,
  call: RecordedCall,
  { changed, present }: { changed: Judge; present: Judge },
): void {
  const { kind, rule } = changed(call);
  if (kind === "undecided") result.undecided++;
  if (kind !== "refused") return;
  if (present(call).kind === "refused") {
    result.already++;
    return;
  }
  result.wouldRefuse++;
  const key = [call.caller, call.identity, destinationOf(call), call.port, call.method, call.path, rule].join(" ");
  const same = refused.get(key);
  if (same && same.at >= call.atMs) same.calls++;
  else refused.set(key, { ...refusedCall(call, rule), calls: (same?.calls ?? 0) + 1 });
}

const refusedCall = (call: RecordedCall, rule: string): Omit<RefusedCall, "calls"> => ({
  ...sampleOf(call),
  caller: call.caller,
  principal: call.identity ?? "",
  destination: destinationOf(call),
  port: call.port ?? null,
  rule,
});

/** A policy that is on trial is asked about as if it were in force. */
export function inForce(object: ConfigObject): ConfigObject {
  const { "istio.io/dry-run": _, ...annotations } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations } };
}
