import { isRecord } from "../body.ts";
import {
  compareFields,
  FieldIndex,
  type FieldSet,
  fieldsOf,
  formatPath,
  parsePathKey,
  withoutFields,
} from "./field-paths.ts";
import { entriesOf, listKeys } from "./keyed-lists.ts";
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
 * Maps merge, and so do lists with keys; other lists are atomic. https://kubernetes.io/docs/reference/using-api/server-side-apply/
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

  const merged = dropAbandoned(merge(wanted.kind, live, wanted, []), mine?.fields ?? new Set(), wantedFields, others);
  const { changed, removed } = compareFields(live, merged);
  const conflicts = findConflicts(others, changed);
  if (conflicts.length > 0 && !force) return { ok: false, conflicts };

  const touched = new FieldIndex(changed);
  const stillOwned = others.map((owner) => ({
    ...owner,
    fields: new Set([...owner.fields].filter((field) => !removed.has(field) && !touched.overlaps(field))),
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
    const owned = new FieldIndex(fields);
    for (const path of changed) {
      if (owned.overlaps(path)) {
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
  // Kept by what is in it, and not by what is above it: who has an empty map or list says nothing of what is in it.
  const keepers = [wanted, ...others.map((owner) => owner.fields)].map((fields) => new FieldIndex(fields));
  const gone = [...before].filter((field) => !keepers.some((keeper) => keeper.hasInside(field)));
  return withoutFields(merged, gone.map(parsePathKey)) as Record<string, unknown>;
}

/** Maps and lists with keys merge, everything else is replaced; null says nothing. */
function merge(
  kind: unknown,
  live: Record<string, unknown>,
  wanted: Record<string, unknown>,
  path: readonly string[],
): Record<string, unknown> {
  const result = { ...live };
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null || value === undefined) continue;
    const old = result[key];
    const at = [...path, key];
    if (isRecord(value)) result[key] = merge(kind, isRecord(old) ? old : {}, value, at);
    else result[key] = Array.isArray(value) && Array.isArray(old) ? mergeList(kind, old, value, at) : value;
  }
  return result;
}

/** Entries that are there keep their places; new ones follow. */
function mergeList(kind: unknown, live: unknown[], wanted: unknown[], path: readonly string[]): unknown[] {
  const keys = listKeys(kind, path);
  const before = keys && entriesOf(live, keys);
  const after = keys && entriesOf(wanted, keys);
  if (!before || !after) return wanted;
  for (const [entry, item] of after) {
    const old = before.get(entry);
    before.set(entry, isRecord(old) && isRecord(item) ? merge(kind, old, item, [...path, entry]) : item);
  }
  return [...before.values()];
}
