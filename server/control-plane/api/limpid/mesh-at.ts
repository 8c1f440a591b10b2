import { kindNamed } from "../../../config/kinds/index.ts";
import { firstRevision } from "../../../config/memory-store.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "../../../config/object.ts";
import type { ConfigStore, Write } from "../../../config/store.ts";
import { toYaml } from "../../../config/to-yaml.ts";
import { told } from "../../../contract/index.ts";
import { historyInParts } from "../history-in-parts.ts";
import { saidError } from "../status-error.ts";

/** A moment of the mesh: by the last revision in it, or by the clock (Unix milliseconds). */
export type Moment = { revision: number } | { at: number };

export interface MeshAt {
  /** The last revision that is in it. */
  revision: number;
  /** The revision that it was counted back from: what is in force. */
  current: number;
  objects: Map<string, ConfigObject>;
  /** What is in force now, by the same keys. */
  now: Map<string, ConfigObject>;
}

/**
 * The mesh as it was, counted back from what is in force by what each commit changed. Throws 410 where the history doesn't reach back so far,
 * 404 for a revision that is still to come.
 */
export async function meshAt(store: ConfigStore, moment: Moment): Promise<MeshAt> {
  const { items, revision: current } = await store.list();
  const now = new Map(items.map((object) => [formatKey(keyOf(object)), object]));
  const objects = new Map(now);
  if ("revision" in moment && moment.revision > current) {
    throw saidError(404, "NotFound", told("no-revision", { revision: moment.revision, current }));
  }
  let revision = current;
  const back = historyInParts(store, { before: current + 1, limit: Number.MAX_SAFE_INTEGER });
  for await (const commit of back) {
    if ("revision" in moment ? commit.revision <= moment.revision : commit.at <= moment.at) {
      return { revision: commit.revision, current, objects, now };
    }
    for (const { key, before } of commit.changes) {
      if (before === undefined) objects.delete(formatKey(key));
      else objects.set(formatKey(key), before);
    }
    revision = commit.revision - 1;
  }
  if (revision > firstRevision || ("revision" in moment && moment.revision < firstRevision)) {
    throw saidError(410, "Expired", told("history-begins", { revision }));
  }
  return { revision, current, objects, now };
}

/** Which objects are meant: all that fit. */
export interface Selection {
  kind?: string;
  namespace?: string;
  name?: string;
}

/** What is kept beside the mesh is meant by its kind only: a mesh that becomes as it was forgets no design. */
export const isSelected = ({ kind, namespace, name }: Selection, key: ResourceKey): boolean =>
  (kind === undefined ? !kindNamed(key.kind)?.aside : key.kind === kind) &&
  (namespace === undefined || key.namespace === namespace || (key.kind === "Namespace" && key.name === namespace)) &&
  (name === undefined || key.name === name);

/** Written again since with nothing else in it, as by whoever applies a file twice, it is as it was. */
const isSame = (a: ConfigObject, b: ConfigObject): boolean =>
  a.metadata.resourceVersion === b.metadata.resourceVersion ||
  (toYaml(a) === toYaml(b) && JSON.stringify(a.status) === JSON.stringify(b.status));

/** What makes the selected objects as they were; each against the version that is in force, so that nobody's write is lost. */
export function writesBackTo({ objects, now }: MeshAt, selection: Selection): Write[] {
  const writes: Write[] = [];
  for (const [name, object] of objects) {
    if (!isSelected(selection, keyOf(object))) continue;
    const current = now.get(name);
    if (current && isSame(current, object)) continue;
    const { uid: _, ...metadata } = object.metadata; // one that was deleted comes back as a new one
    writes.push({ op: "put", object: { ...object, metadata }, expect: current?.metadata.resourceVersion ?? "absent" });
  }
  for (const [name, object] of now) {
    const { resourceVersion } = object.metadata;
    if (objects.has(name) || !isSelected(selection, keyOf(object))) continue;
    writes.push({
      op: "delete",
      key: keyOf(object),
      ...(resourceVersion === undefined ? {} : { expect: resourceVersion }),
    });
  }
  return writes;
}
