import { type ConfigObject, keyOf } from "../../../config/object.ts";
import type { Write } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";
import { prepareUpdate, validating } from "../object-writer.ts";

/** One object of an edit: without `after` it is deleted, without `before` made. */
export interface Edit {
  before: ConfigObject | undefined;
  after: ConfigObject | undefined;
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
