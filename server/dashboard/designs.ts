import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { catalogueOf, designOf, distanceOf, exportOf, isReady, objectsOf } from "../config/designs.ts";
import { meshText } from "../config/import-plan.ts";
import { type DesignSpec, kindNamed } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import {
  type ChangeResult,
  DashboardError,
  type DesignList,
  type DesignRequest,
  type DesignSummary,
  type DesignText,
  type MeshExport,
  type MeshSide,
  told,
} from "../contract/index.ts";

/** The catalogue: configurations that are kept under names, beside what is in force. Everything rejects with `DashboardError`. */
export interface Designs {
  designs(): Promise<DesignList>;
  /** Rejects with NOT_FOUND. */
  design(name: string): Promise<DesignText>;
  /** Keeps one; rejects with CONFLICT where one is kept so and is not to be replaced. */
  keepDesign(name: string, what: DesignRequest, options: WriteOptions): Promise<ChangeResult>;
  removeDesign(name: string, options: WriteOptions): Promise<ChangeResult>;
}

type Api = Pick<ConfigApiClient, "mesh" | "objects" | "transact">;

const designs = kindNamed("Design");

/** Every design there is. */
export const readCatalogue = async (api: Pick<Api, "objects">): Promise<ConfigObject[]> =>
  catalogueOf(designs ? await api.objects(designs) : []);

/** Rejects with NOT_FOUND. */
export async function findDesign(api: Pick<Api, "objects">, name: string): Promise<ConfigObject> {
  const found = (await readCatalogue(api)).find(({ metadata }) => metadata.name === name);
  if (!found) throw new DashboardError({ code: "NOT_FOUND", ...told("no-design", { name }) });
  return found;
}

export function createDesigns(api: Api, sideOf: (side: MeshSide) => Promise<Pick<MeshExport, "objects">>): Designs {
  return {
    async designs() {
      const [catalogue, { objects }] = await Promise.all([readCatalogue(api), api.mesh()]);
      return { designs: catalogue.map((design) => summaryOf(design, objects)) };
    },
    async design(name) {
      const design = await findDesign(api, name);
      return { name, description: (design.spec as DesignSpec).description ?? "", yaml: meshText(exportOf(design)) };
    },
    async keepDesign(name, { description, of, namespace, replace }, options) {
      const { objects } = await sideOf(of);
      const isThere = (key: { kind: string; namespace: string; name: string }) =>
        namespace === undefined || key.namespace === namespace || (key.kind === "Namespace" && key.name === namespace);
      const object = designOf(name, description, objects.filter(isThere));
      if ((object.spec as DesignSpec).objects.length === 0)
        throw new DashboardError({ code: "INVALID", ...told("design-empty", {}) });
      return api.transact([{ op: "put", object, ...(!replace && { expect: "absent" }) }], undefined, options);
    },
    async removeDesign(name, options) {
      const design = await findDesign(api, name);
      if (isReady(design)) throw new DashboardError({ code: "INVALID", ...told("design-ready", { name }) });
      const key = { kind: "Design", namespace: "", name };
      return api.transact([{ op: "delete", key }], undefined, options);
    },
  };
}

function summaryOf(design: ConfigObject, inForce: MeshExport["objects"]): DesignSummary {
  const { name, creationTimestamp, resourceVersion } = design.metadata;
  const objects = objectsOf(design);
  const kinds = Map.groupBy(objects, ({ kind }) => kind);
  return {
    name,
    description: (design.spec as DesignSpec).description ?? "",
    ready: isReady(design),
    createdAt: creationTimestamp === undefined ? null : Date.parse(creationTimestamp),
    resourceVersion: resourceVersion ?? null,
    objects: objects.length,
    kinds: [...kinds].map(([kind, of]) => ({ kind, count: of.length })),
    ...distanceOf(design, inForce),
  };
}
