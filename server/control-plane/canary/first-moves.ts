import { type ConfigChange, ConflictError } from "../../config/store.ts";
import type { ApiContext } from "../api/context.ts";
import { toWrite } from "../api/limpid/edit.ts";
import { advance } from "./advance.ts";
import { isCanaryMove } from "./whole-run.ts";
import { canaryOf, statusOf, targetOf, weightEdits } from "./world.ts";

/** What a canary's weights are read from: with such in the same change they are not what is stored. */
const moved = new Set(["VirtualService", "DestinationRule", "Service", "ServiceEntry", "WorkloadEntry"]);

/**
 * What the control plane will write of its own as soon as the changes are there: a Canary in a file begins at once, and whoever applies it moves
 * traffic. Nothing is written.
 */
export async function firstMoves(context: ApiContext, changes: readonly ConfigChange[]): Promise<ConfigChange[]> {
  if (changes.some(({ key }) => moved.has(key.kind))) return [];
  const found: ConfigChange[] = [];
  for (const change of changes) {
    if (change.key.kind !== "Canary" || change.after === undefined || isCanaryMove(change)) continue;
    const canary = canaryOf(change.after);
    const target = await targetOf(context, canary);
    if (target === undefined) continue;
    const advice = advance(canary.spec, statusOf(canary), { now: context.clock.now(), route: target.route });
    if (advice.is !== "move" || advice.move.weights === undefined) continue;
    const edits = weightEdits(target, advice.move.weights);
    if (typeof edits === "string") continue;
    const writes = edits.map((edit) => toWrite(context, edit, "limpid"));
    try {
      found.push(...(await context.store.commit(writes, "limpid", { dryRun: true })).changes);
    } catch (error) {
      // Somebody was faster: what there is to say is said of the next look.
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  return found;
}
