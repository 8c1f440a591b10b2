import { randomUUID } from "node:crypto";
import { told } from "../contract/index.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "./object.ts";
import { type ConfigChange, ConflictError, NotFoundError, type Write } from "./store.ts";

/** The keys that a commit looks at, each once. */
export function keysOf(writes: readonly Write[]): ResourceKey[] {
  const keys = new Map<string, ResourceKey>();
  for (const write of writes) {
    const key = write.op === "put" ? keyOf(write.object) : write.key;
    keys.set(formatKey(key), key);
  }
  return [...keys.values()];
}

/**
 * What the writes would change, in the order of their keys; nothing is stored. Writes to one key follow each other.
 * Sets uid, creationTimestamp, generation and resourceVersion as Kubernetes does: the first two stay for an object's life, generation counts
 * changes of `spec`, resourceVersion is `revision`, the one that the commit will have.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 * Throws `ConflictError` and `NotFoundError`.
 */
export function planCommit(
  stored: (key: ResourceKey) => ConfigObject | undefined,
  writes: readonly Write[],
  revision: number,
  nowMs: number,
): ConfigChange[] {
  const staged = new Map<string, { key: ResourceKey; before?: ConfigObject; after?: ConfigObject }>();
  for (const write of writes) {
    const key = write.op === "put" ? keyOf(write.object) : write.key;
    const name = formatKey(key);
    let entry = staged.get(name);
    if (entry === undefined) {
      const before = stored(key);
      entry = { key, before, after: before };
      staged.set(name, entry);
    }
    entry.after = write.op === "put" ? put(key, entry.after, write, revision, nowMs) : remove(key, entry.after, write);
  }
  return [...staged.values()].flatMap(({ key, before, after }): ConfigChange[] => {
    if (before === after) return [];
    if (before === undefined) return [{ type: "ADDED", key, after }];
    return after === undefined ? [{ type: "DELETED", key, before }] : [{ type: "MODIFIED", key, before, after }];
  });
}

function put(
  key: ResourceKey,
  current: ConfigObject | undefined,
  write: Extract<Write, { op: "put" }>,
  revision: number,
  nowMs: number,
): ConfigObject {
  expectVersion(key, current, write.expect);
  const given = write.object.metadata;
  if (current !== undefined && given.uid !== undefined && given.uid !== current.metadata.uid) {
    const other = { object: describe(key), uid: current.metadata.uid ?? "" };
    throw new ConflictError(key, current, told("conflict-other", other));
  }
  const sameSpec = current !== undefined && sameJson(current.spec, write.object.spec);
  const object: ConfigObject = {
    ...write.object,
    metadata: {
      ...given,
      uid: current?.metadata.uid ?? randomUUID(),
      creationTimestamp: current?.metadata.creationTimestamp ?? new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z"),
      generation: (current?.metadata.generation ?? 0) + (sameSpec ? 0 : 1),
      resourceVersion: String(revision),
    },
  };
  // A writer of the spec says nothing about the status.
  if (object.status === undefined) {
    delete object.status;
    if (current?.status !== undefined) object.status = current.status;
  }
  if (current !== undefined && sameObject(current, object)) return current;
  return deepFreeze(structuredClone(object));
}

function remove(
  key: ResourceKey,
  current: ConfigObject | undefined,
  write: Extract<Write, { op: "delete" }>,
): undefined {
  if (current === undefined) throw new NotFoundError(key);
  expectVersion(key, current, write.expect);
}

function expectVersion(key: ResourceKey, current: ConfigObject | undefined, expect: string | undefined): void {
  if (expect === undefined) return;
  if (expect === "absent") {
    if (current !== undefined) throw new ConflictError(key, current, told("conflict-there", { object: describe(key) }));
    return;
  }
  if (current === undefined) throw new ConflictError(key, undefined, told("conflict-gone", { object: describe(key) }));
  const { resourceVersion: version = "" } = current.metadata;
  if (version !== expect) {
    const moved = { object: describe(key), version, base: expect };
    throw new ConflictError(key, current, told("conflict-version", moved));
  }
}

const describe = (key: ResourceKey) => `${key.kind} ${key.namespace === "" ? "" : `${key.namespace}/`}${key.name}`;

/** Equal but for what the store sets itself and for the times in managedFields, which move with every apply. */
function sameObject(a: ConfigObject, b: ConfigObject): boolean {
  const comparable = (object: ConfigObject) => {
    const { resourceVersion: _, generation: __, managedFields, ...metadata } = object.metadata;
    const managers = managedFields?.map((entry) => ({ ...(entry as object), time: undefined }));
    return { ...object, metadata: { ...metadata, managedFields: managers } };
  };
  return sameJson(comparable(a), comparable(b));
}

/** Equal as JSON: the order of keys doesn't count, and undefined is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameJson(item, b[index]))
    );
  }
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}

/** Readers share stored objects: writing into one throws instead of changing what others see. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
