import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { exportOf, isOfDesigns, objectsOf } from "../config/designs.ts";
import { deletesOf, differencesOf, differsFrom, meshText, surplusOf } from "../config/import-plan.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import { toYaml } from "../config/to-yaml.ts";
import {
  type ChangeResult,
  designReason,
  type ImportRequest,
  type MeshComparison,
  type MeshComparisonRequest,
  type MeshExport,
  type MeshSide,
  type RestoreRequest,
} from "../contract/index.ts";
import { createDesigns, type Designs, findDesign } from "./designs.ts";
import { readDocuments } from "./read-documents.ts";

/** The configuration as a whole: taken out, kept, compared, put back. */
export interface Meshes extends Designs {
  /** As one text, in the order in which it can be applied, and the revision of it. */
  exportMesh(moment?: { revision: number } | { at: number }): Promise<{ yaml: string; revision: number }>;
  /** Rejects with INVALID for a text that is none. */
  compareMeshes(sides: MeshComparisonRequest): Promise<MeshComparison>;
  restore(what: RestoreRequest, options: WriteOptions): Promise<ChangeResult>;
  /** The mesh becomes what the text, or the design, says. */
  importMesh(what: ImportRequest, options: WriteOptions): Promise<ChangeResult>;
}

/** As many objects as one comparison shows. */
const shownAtMost = 300;

type Api = Pick<ConfigApiClient, "mesh" | "objects" | "restore" | "transact">;

export function createMeshes(api: Api): Meshes {
  return {
    ...createDesigns(api, (side) => sideOf(api, side)),
    async exportMesh(moment) {
      const { objects, revision } = await api.mesh(moment);
      return { yaml: meshText(objects), revision };
    },
    async compareMeshes({ from, to, of }) {
      const [before, after] = await Promise.all([sideOf(api, from), sideOf(api, to)]);
      // What no design can have is no difference to one.
      const isMeant = "design" in from || "design" in to ? isOfDesigns : () => true;
      const named = of && new Set((of === "from" ? before : after).objects.map(formatKey));
      const objects = differencesOf(before.objects, after.objects).filter(
        (object) => isMeant(object) && (!named || named.has(formatKey(object))),
      );
      return {
        from: before.revision,
        to: after.revision,
        objects: objects.slice(0, shownAtMost),
        more: Math.max(0, objects.length - shownAtMost),
      };
    },
    restore: api.restore,
    async importMesh(what, options) {
      const [objects, inForce] = await Promise.all([documentsOf(api, what), api.mesh()]);
      const differs = differsFrom(inForce.objects);
      const puts = objects.filter(differs).map((object) => ({ op: "put" as const, object: withoutVersion(object) }));
      const surplus = surplusOf(objects, inForce.objects).filter((key) => "yaml" in what || isOfDesigns(key));
      const deletes = what.prune ? deletesOf(surplus) : [];
      const writes = [...puts, ...deletes];
      if (writes.length === 0) return nothing(inForce.revision, options);
      return api.transact(writes, "design" in what ? designReason(what.design) : undefined, options);
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

const documentsOf = async (api: Api, what: ImportRequest): Promise<ConfigObject[]> =>
  "yaml" in what ? readDocuments(what.yaml) : objectsOf(await findDesign(api, what.design));

async function sideOf(api: Api, side: MeshSide): Promise<{ objects: MeshExport["objects"]; revision: number | null }> {
  if ("design" in side) return { objects: exportOf(await findDesign(api, side.design)), revision: null };
  if (!("yaml" in side)) return api.mesh("now" in side ? undefined : side);
  const objects = await readDocuments(side.yaml);
  return { objects: objects.map((object) => ({ ...keyOf(object), yaml: toYaml(object) })), revision: null };
}
