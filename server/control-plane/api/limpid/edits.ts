import { keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { StatusError } from "../status-error.ts";
import { answerChange } from "./change-result.ts";
import { describeTraffic } from "./change-summary.ts";
import { type Edit, toWrite } from "./edit.ts";
import { isDryRunQuery, limpidActor } from "./request.ts";
import { commitWrites } from "./transactions.ts";

const maxAttempts = 8;

/**
 * Reads, edits and commits over what was read. `retry` repeats it when somebody else was faster; without it, that is a 409 that names the
 * object.
 */
export async function runEdit(
  context: ApiContext,
  request: ApiRequest,
  build: () => Promise<Edit[]>,
  { retry }: { retry: boolean },
): Promise<ApiResponse> {
  const dryRun = isDryRunQuery(request);
  const { author, manager } = limpidActor(request);
  for (let attempt = 1; ; attempt++) {
    const edits = await build();
    const writes = edits.map((edit) => toWrite(context, edit, manager));
    const reason = describeTraffic(edits.map(toChange));
    try {
      const commit = await commitWrites(context, writes, author, { dryRun, reason });
      return await answerChange(context, request, commit, { dryRun });
    } catch (error) {
      if (!retry || attempt === maxAttempts || !(error instanceof StatusError && error.code === 409)) throw error;
    }
  }
}

function toChange({ before, after }: Edit): ConfigChange {
  const object = after ?? before;
  if (object === undefined) throw new Error("an edit needs an object before or after it");
  const type = before === undefined ? "ADDED" : after === undefined ? "DELETED" : "MODIFIED";
  return { type, key: keyOf(object), ...(before ? { before } : {}), ...(after ? { after } : {}) };
}
