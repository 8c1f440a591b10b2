import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import { type Mesh, updateMesh } from "./mesh.ts";

/** The mesh that has these objects, made of one that is there at the cost of what they differ in; `like` itself where they don't. */
export function meshOf(like: Mesh, objects: Iterable<ConfigObject>, revision: number): Mesh {
  const gone = new Map<string, ConfigObject>();
  for (const kind of like.objects.values())
    for (const object of kind.values()) gone.set(formatKey(keyOf(object)), object);
  const changes: ConfigChange[] = [];
  for (const after of objects) {
    const key = keyOf(after);
    const before = gone.get(formatKey(key));
    gone.delete(formatKey(key));
    if (before === undefined) changes.push({ type: "ADDED", key, after });
    else if (!isSameVersion(before, after)) changes.push({ type: "MODIFIED", key, before, after });
  }
  for (const before of gone.values()) changes.push({ type: "DELETED", key: keyOf(before), before });
  return changes.length === 0 ? like : updateMesh(like, changes, revision);
}

/** Each write of an object gives it another version; what never was in a store has none. */
const isSameVersion = ({ metadata: a }: ConfigObject, { metadata: b }: ConfigObject): boolean =>
  a.resourceVersion !== undefined && a.resourceVersion === b.resourceVersion && a.uid === b.uid;
