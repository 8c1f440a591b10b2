import { isRecord } from "../body.ts";
import {
  compareFields,
  type FieldSet,
  fieldsOf,
  formatPath,
  overlaps,
  parsePathKey,
  withoutField,
} from "./field-paths.ts";
import type { Owner } from "./managed-fields.ts";
import type { Writer } from "./track-update.ts";

export interface FieldConflict {
  manager: string;
  operation: Owner["operation"];
  apiVersion: string;
  /** `.spec.http` */
  field: string;
}

export type ApplyOutcome =
  | { ok: true; object: Record<string, unknown>; owners: Owner[] }
  | { ok: false; conflicts: FieldConflict[] };

/**
 * Server-side apply: `wanted` says every field that this manager wants to have a say in. Fields it no longer names go, unless somebody else
 * owns them too. Changing a field of somebody else is a conflict; `force` takes the field over.
 * Maps merge; lists are atomic. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function serverSideApply(
  live: Record<string, unknown>,
  owners: readonly Owner[],
  wanted: Record<string, unknown>,
  writer: Writer,
  force: boolean,
): ApplyOutcome {
  const isWriter = (owner: Owner): boolean => owner.operation === "Apply" && owner.manager === writer.manager;
  const mine = owners.find(isWriter);
  const others = owners.filter((owner) => !isWriter(owner));
  const wantedFields = fieldsOf(wanted);

  const merged = dropAbandoned(merge(live, wanted), mine?.fields ?? new Set(), wantedFields, others);
  const { changed, removed } = compareFields(live, merged);
  const conflicts = findConflicts(others, changed);
  if (conflicts.length > 0 && !force) return { ok: false, conflicts };

  const stillOwned = others.map((owner) => ({
    ...owner,
    fields: new Set(
      [...owner.fields].filter((field) => !removed.has(field) && ![...changed].some((path) => overlaps(path, field))),
    ),
  }));
  const sameFields = mine !== undefined && sameSet(mine.fields, wantedFields);
  const nothingNew = changed.size === 0 && removed.size === 0 && sameFields;
  const updated: Owner = {
    ...writer,
    operation: "Apply",
    time: nothingNew ? mine.time : writer.time,
    fields: wantedFields,
  };
  const position = mine ? owners.indexOf(mine) : stillOwned.length;
  const all = stillOwned.toSpliced(position, 0, updated);
  return { ok: true, object: merged, owners: all.filter((owner) => owner.fields.size > 0) };
}

const sameSet = (a: FieldSet, b: FieldSet): boolean => a.size === b.size && [...a].every((field) => b.has(field));

function findConflicts(others: readonly Owner[], changed: FieldSet): FieldConflict[] {
  const conflicts: FieldConflict[] = [];
  for (const { manager, operation, apiVersion, fields } of others) {
    for (const path of changed) {
      if ([...fields].some((field) => overlaps(path, field))) {
        conflicts.push({ manager, operation, apiVersion, field: formatPath(path) });
      }
    }
  }
  return conflicts;
}

function dropAbandoned(
  merged: Record<string, unknown>,
  before: FieldSet,
  wanted: FieldSet,
  others: readonly Owner[],
): Record<string, unknown> {
  let result: unknown = merged;
  for (const field of before) {
    const kept =
      [...wanted].some((path) => overlaps(path, field)) ||
      others.some((owner) => [...owner.fields].some((path) => overlaps(path, field)));
    if (!kept) result = withoutField(result, parsePathKey(field));
  }
  return result as Record<string, unknown>;
}

/** Maps merge, everything else is replaced; null says nothing. */
function merge(live: Record<string, unknown>, wanted: Record<string, unknown>): Record<string, unknown> {
  const result = { ...live };
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null || value === undefined) continue;
    const old = result[key];
    result[key] = isRecord(value) ? merge(isRecord(old) ? old : {}, value) : value;
  }
  return result;
}
