import type { CanarySpec } from "../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";
import type { Commit, Write } from "../../config/store.ts";
import type { ApiContext } from "../api/context.ts";
import { canaryReason } from "../api/limpid/change-summary.ts";
import { toWrite } from "../api/limpid/edit.ts";
import { prepareUpdate } from "../api/object-writer.ts";
import type { Move } from "./moves.ts";
import { type CanaryObject, type Target, weightEdits } from "./world.ts";

export class NotSharedError extends Error {}

export interface MoveToCommit {
  canary: CanaryObject;
  target: Target | undefined;
  move: Move;
  author: string;
  /** What it is to be from now on; unset: as it is. */
  spec?: CanarySpec;
  /** Check and return what would be stored. */
  dryRun?: boolean;
}

/**
 * Weights and what is known of the canary in one commit, over what was read: after a restart there is no step that was half made. Throws
 * `ConflictError` when somebody else was faster, `NotSharedError` when the weights can't be set.
 */
export async function commitMove(
  context: Pick<ApiContext, "store" | "kinds" | "clock">,
  { canary, target, move, author, spec, dryRun = false }: MoveToCommit,
): Promise<Commit> {
  const edits = move.weights && target ? weightEdits(target, move.weights) : [];
  if (typeof edits === "string") throw new NotSharedError(edits);
  const status = { ...move.status };
  // The first step may have made the VirtualService.
  const made = edits.find(({ after }) => after?.kind === "VirtualService")?.after?.metadata;
  if (made && !status.virtualService) status.virtualService = { namespace: made.namespace, name: made.name };
  const writes: Write[] = [
    ...edits.map((edit) => toWrite(context, edit, "limpid")),
    canaryWrite(context, canary, status, spec),
  ];
  const { name } = canary.metadata;
  const reason = canaryReason({ canary: name, event: move.event, version: status.to.version, weight: status.weight });
  return context.store.commit(writes, author, { reason, dryRun });
}

function canaryWrite(
  context: Pick<ApiContext, "kinds" | "clock">,
  canary: CanaryObject,
  status: Record<string, unknown>,
  spec: CanarySpec | undefined,
): Write {
  const before = canary as unknown as ConfigObject;
  const expect = before.metadata.resourceVersion ?? "absent";
  if (spec === undefined) return { op: "put", object: { ...before, status }, expect };
  const definition = context.kinds.byKind(before.kind);
  if (definition === undefined) throw new Error(`${formatKey(keyOf(before))} is not served`);
  const writer = { clock: context.clock, manager: "limpid", version: definition.version };
  const existing = expect === "absent" ? undefined : before;
  return { op: "put", object: { ...prepareUpdate(definition, { ...before, spec }, existing, writer), status }, expect };
}
