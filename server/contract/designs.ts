import { z } from "zod";
import { MeshSide } from "./meshes.ts";

/** One of the catalogue, and how far the mesh is from it. */
export const DesignSummary = z.object({
  name: z.string(),
  description: z.string(),
  /** It comes with Limpid, and nobody can take it away. */
  ready: z.boolean(),
  /** Unix milliseconds; null of one that is ready. */
  createdAt: z.number().nullable(),
  /** Its version, by which nobody's write is lost; null of one that is ready. */
  resourceVersion: z.string().nullable(),
  objects: z.number(),
  /** By kind, in the order in which they are applied. */
  kinds: z.array(z.object({ kind: z.string(), count: z.number() })),
  /** Of its objects those that the mesh has otherwise, and those that it has not. */
  differs: z.number(),
  lacks: z.number(),
});
export type DesignSummary = z.infer<typeof DesignSummary>;

/** `GET /api/designs` */
export const DesignList = z.object({ designs: z.array(DesignSummary) });
export type DesignList = z.infer<typeof DesignList>;

/** `GET /api/designs/:name`; with `?download` its text as a file. */
export const DesignText = z.object({ name: z.string(), description: z.string(), yaml: z.string() });
export type DesignText = z.infer<typeof DesignText>;

/** `PUT /api/designs/:name`: what is kept under the name from now on. Without `replace` only where none is kept so. */
export const DesignRequest = z.strictObject({
  description: z.string().trim().max(1000).default(""),
  /** What it is made of; of the mesh, or of another design, too. */
  of: MeshSide,
  /** Only what is in this namespace. */
  namespace: z.string().min(1).max(63).optional(),
  replace: z.boolean().default(false),
});
export type DesignRequest = z.infer<typeof DesignRequest>;
