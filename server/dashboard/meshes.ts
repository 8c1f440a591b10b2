import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { deletesOf, differsFrom, inOrder, meshText, surplusOf } from "../config/import-plan.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import { toYaml } from "../config/to-yaml.ts";
import type {
  ChangedObject,
  ChangeResult,
  ImportRequest,
  MeshComparison,
  MeshExport,
  MeshSide,
  RestoreRequest,
} from "../contract/index.ts";
import { readDocuments } from "./read-documents.ts";

/** The configuration as a whole: taken out, compared, put back. */
export interface Meshes {
  /** As one text, in the order in which it can be applied, and the revision of it. */
  exportMesh(moment?: { revision: number } | { at: number }): Promise<{ yaml: string; revision: number }>;
  /** Rejects with INVALID for a text that is none. */
  compareMeshes(sides: { from: MeshSide; to: MeshSide }): Promise<MeshComparison>;
  restore(what: RestoreRequest, options: WriteOptions): Promise<ChangeResult>;
  /** The mesh becomes what the text says. */
  importMesh(what: ImportRequest, options: WriteOptions): Promise<ChangeResult>;
}

/** As many objects as one comparison shows. */
const shownAtMost = 300;

export function createMeshes(api: Pick<ConfigApiClient, "mesh" | "restore" | "transact">): Meshes {
  return {
    async exportMesh(moment) {
      const { objects, revision } = await api.mesh(moment);
      return { yaml: meshText(objects), revision };
    },
    async compareMeshes({ from, to }) {
      const [before, after] = await Promise.all([sideOf(api, from), sideOf(api, to)]);
      const objects = differences(before.objects, after.objects);
      return {
        from: before.revision,
        to: after.revision,
        objects: objects.slice(0, shownAtMost),
        more: Math.max(0, objects.length - shownAtMost),
      };
    },
    restore: api.restore,
    async importMesh({ yaml, prune }, options) {
      const [objects, inForce] = await Promise.all([readDocuments(yaml), api.mesh()]);
      const differs = differsFrom(inForce.objects);
      const puts = objects.filter(differs).map((object) => ({ op: "put" as const, object: withoutVersion(object) }));
      const deletes = prune ? deletesOf(surplusOf(objects, inForce.objects)) : [];
      const writes = [...puts, ...deletes];
      if (writes.length === 0) return nothing(inForce.revision, options);
      return api.transact(writes, undefined, options);
    },
  };
}

/** What a text says is what should be, whatever was there when it was written. */
function withoutVersion(object: ConfigObject): ConfigObject {
  const { resourceVersion: _, uid: __, ...metadata } = object.metadata;
  return { ...object, metadata };
}

const nothing = (revision: number, { dryRun = false }: WriteOptions): ChangeResult => ({
  revision,
  dryRun,
  objects: [],
  proxies: 0,
  warnings: [],
  shares: [],
});

async function sideOf(
  api: Pick<ConfigApiClient, "mesh">,
  side: MeshSide,
): Promise<{ objects: MeshExport["objects"]; revision: number | null }> {
  if (!("yaml" in side)) return api.mesh("now" in side ? undefined : side);
  const objects = await readDocuments(side.yaml);
  return { objects: objects.map((object) => ({ ...keyOf(object), yaml: toYaml(object) })), revision: null };
}

function differences(before: MeshExport["objects"], after: MeshExport["objects"]): ChangedObject[] {
  const [old, fresh] = [before, after].map((objects) => new Map(objects.map((one) => [formatKey(one), one])));
  const all = inOrder([...new Map([...(old ?? []), ...(fresh ?? [])]).values()]);
  return all.flatMap(({ kind, namespace, name }) => {
    const key = formatKey({ kind, namespace, name });
    const [was, is] = [old?.get(key)?.yaml ?? "", fresh?.get(key)?.yaml ?? ""];
    return was === is ? [] : [{ kind, namespace, name, before: was, after: is }];
  });
}
