import { compareFields, minus } from "./field-paths.ts";
import type { Owner } from "./managed-fields.ts";

export interface Writer {
  manager: string;
  apiVersion: string;
  /** RFC 3339. */
  time: string;
}

/** The owners after a create, replace or patch: what the write changed is the writer's now, and nobody else's. */
export function trackUpdate(owners: readonly Owner[], before: unknown, after: unknown, writer: Writer): Owner[] {
  const { changed, removed } = compareFields(before, after);
  if (changed.size === 0 && removed.size === 0) return [...owners];
  const isWriter = (owner: Owner): boolean => owner.operation === "Update" && owner.manager === writer.manager;
  const mine = owners.find(isWriter);
  const rest = owners
    .filter((owner) => !isWriter(owner))
    .map((owner) => ({ ...owner, fields: minus(owner.fields, changed, removed) }));
  const fields = new Set([...minus(mine?.fields ?? new Set(), removed), ...changed]);
  const untouched = changed.size === 0 && mine !== undefined && fields.size === mine.fields.size;
  const updated: Owner = { ...writer, operation: "Update", time: untouched ? mine.time : writer.time, fields };
  return [...rest, updated].filter((owner) => owner.fields.size > 0);
}
