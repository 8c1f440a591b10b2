import { isRecord } from "../body.ts";
import { type FieldSet, parsePathKey, pathKey } from "./field-paths.ts";
import { isEntry } from "./keyed-lists.ts";

/** Who set which fields, and how. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface Owner {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  /** RFC 3339. */
  time: string;
  fields: FieldSet;
}

/** Past this many Update owners the oldest become one, as in Kubernetes, so that the list is bounded. */
const maxUpdateOwners = 10;
const ancient = "ancient-changes";

/** Owners from `metadata.managedFields`; undefined when a client sent something that is none. */
export function decodeManagedFields(value: unknown): Owner[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const owners: Owner[] = [];
  for (const entry of value) {
    if (!isRecord(entry)) return undefined;
    if (Object.keys(entry).length === 0) continue; // `[{}]` resets, by Kubernetes' documentation
    const { manager, operation, apiVersion, time, fieldsV1 } = entry;
    if (typeof manager !== "string" || (operation !== "Apply" && operation !== "Update")) return undefined;
    const fields = new Set<string>();
    if (fieldsV1 !== undefined) collect(fieldsV1, [], fields);
    owners.push({
      manager,
      operation,
      apiVersion: typeof apiVersion === "string" ? apiVersion : "",
      time: typeof time === "string" ? time : "",
      fields,
    });
  }
  return owners;
}

export function encodeManagedFields(owners: readonly Owner[]): Record<string, unknown>[] {
  return bounded(owners)
    .filter((owner) => owner.fields.size > 0)
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      time: owner.time,
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(owner.fields),
    }));
}

function bounded(owners: readonly Owner[]): Owner[] {
  const updates = owners.filter((owner) => owner.operation === "Update" && owner.fields.size > 0);
  if (updates.length <= maxUpdateOwners) return [...owners];
  const oldest = [...updates]
    .sort((a, b) => a.time.localeCompare(b.time))
    .slice(0, updates.length - maxUpdateOwners + 1);
  const merged: Owner = {
    manager: ancient,
    operation: "Update",
    apiVersion: oldest[0]?.apiVersion ?? "",
    time: oldest.at(-1)?.time ?? "",
    fields: new Set(oldest.flatMap((owner) => [...owner.fields])),
  };
  return [merged, ...owners.filter((owner) => !oldest.includes(owner))];
}

/** The nested form on the wire: `{"f:spec": {"f:http": {}}}`. */
function toFieldsV1(fields: FieldSet): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const key of [...fields].sort()) {
    let node = root;
    for (const name of parsePathKey(key)) {
      const segment = isEntry(name) ? name : `f:${name}`;
      const child = (node[segment] ?? {}) as Record<string, unknown>;
      node[segment] = child;
      node = child;
    }
  }
  return root;
}

function collect(node: unknown, path: string[], fields: Set<string>): void {
  const names = isRecord(node) ? Object.keys(node).filter((name) => name.startsWith("f:") || isEntry(name)) : [];
  if (names.length === 0) {
    if (path.length > 0) fields.add(pathKey(path));
    return;
  }
  for (const name of names) {
    const segment = isEntry(name) ? name : name.slice(2);
    collect((node as Record<string, unknown>)[name], [...path, segment], fields);
  }
}
