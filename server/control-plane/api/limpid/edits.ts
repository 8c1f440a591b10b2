import { type ConfigObject, keyOf } from "../../../config/object.ts";
import type { ConfigChange, Write } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";
import { prepareUpdate, validating } from "../object-writer.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { StatusError } from "../status-error.ts";
import { answerChange } from "./change-result.ts";
import { describeTraffic } from "./change-summary.ts";
import { isDryRunQuery, limpidActor } from "./request.ts";
import { commitWrites } from "./transactions.ts";

/** One object of an edit: without `after` it is deleted, without `before` made. */
export interface Edit {
  before: ConfigObject | undefined;
  after: ConfigObject | undefined;
}

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

/** Over what was read: somebody else's change since is a conflict. */
export function toWrite(
  context: Pick<ApiContext, "kinds" | "clock" | "validated">,
  { before, after }: Edit,
  manager: string,
): Write {
  const expect = before?.metadata.resourceVersion ?? "absent";
  if (after === undefined) {
    if (before === undefined) throw new Error("an edit needs an object before or after it");
    return { op: "delete", key: keyOf(before), expect };
  }
  const definition = context.kinds.byKind(after.kind);
  if (definition === undefined) throw new Error(`${after.kind} is not served`);
  const writer = { ...validating(context), manager, version: definition.version };
  return { op: "put", object: prepareUpdate(definition, { ...after }, before, writer), expect };
}

function toChange({ before, after }: Edit): ConfigChange {
  const object = after ?? before;
  if (object === undefined) throw new Error("an edit needs an object before or after it");
  const type = before === undefined ? "ADDED" : after === undefined ? "DELETED" : "MODIFIED";
  return { type, key: keyOf(object), ...(before ? { before } : {}), ...(after ? { after } : {}) };
}
