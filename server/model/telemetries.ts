import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { type Attachment, attachmentOf, type GuardedWorkload, isAttached } from "./policy-attachment.ts";
import { olderFirst } from "./service.ts";
import type { TelemetrySpec, WorkloadMode } from "./specs.ts";

export interface Telemetry {
  readonly name: string;
  readonly attachment: Attachment;
  readonly spec: TelemetrySpec;
}

/** Oldest first, by namespace. */
export type TelemetryIndex = ReadonlyMap<string, readonly Telemetry[]>;

export const indexTelemetries = (objects: Iterable<ConfigObject>): TelemetryIndex =>
  Map.groupBy([...objects].sort(olderFirst).map(resolve), ({ attachment }) => attachment.namespace);

const resolve = (object: ConfigObject): Telemetry =>
  memo(object, "telemetry", [], () => {
    const spec = object.spec as TelemetrySpec;
    const { namespace, name } = object.metadata;
    return { name, attachment: attachmentOf(namespace, spec), spec };
  });

const isForAll = ({ attachment: { selector, targets } }: Telemetry): boolean =>
  targets.length === 0 && Object.keys(selector).length === 0;

/**
 * Those for a workload, each adding to the one before: the mesh's, its namespace's, its own; of each the oldest. One with labels or targets is
 * for its own namespace, also in the root namespace. https://istio.io/latest/docs/reference/config/telemetry/
 */
export function telemetriesFor(
  index: TelemetryIndex,
  rootNamespace: string,
  workload: GuardedWorkload,
): readonly Telemetry[] {
  if (index.size === 0) return none;
  const forAll = [...new Set([rootNamespace, workload.namespace])].map((namespace) =>
    index.get(namespace)?.find(isForAll),
  );
  const own = index.get(workload.namespace)?.find((one) => !isForAll(one) && isAttached(one.attachment, workload));
  const found = [...forAll, own].flatMap((one) => one ?? []);
  return found.length === 0 ? none : found;
}

const none: readonly Telemetry[] = [];

/** Whether a rule is for calls that a workload makes, or for those that it takes. */
export const isForMode = (rule: { mode?: WorkloadMode | undefined } | undefined, mode: "CLIENT" | "SERVER"): boolean =>
  rule?.mode === undefined || rule.mode === "CLIENT_AND_SERVER" || rule.mode === mode;
