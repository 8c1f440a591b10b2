import { z } from "zod";
import { ChangedObject } from "./traffic.ts";

/** The mesh as it is, as it was at a revision or at a time (Unix milliseconds), or as a text of YAML or a design of the catalogue has it. */
export const MeshSide = z.union([
  z.strictObject({ now: z.literal(true) }),
  z.strictObject({ revision: z.number().int().min(0) }),
  z.strictObject({ at: z.number().int().min(0) }),
  z.strictObject({ yaml: z.string().min(1) }),
  z.strictObject({ design: z.string().min(1).max(253) }),
]);
export type MeshSide = z.infer<typeof MeshSide>;

/** `POST /api/mesh/compare`. `of`: only what that side names; a design is a part of a mesh, and the rest of it is no difference. */
export const MeshComparisonRequest = z.strictObject({
  from: MeshSide,
  to: MeshSide,
  of: z.enum(["from", "to"]).optional(),
});
export type MeshComparisonRequest = z.infer<typeof MeshComparisonRequest>;

export const MeshComparison = z.object({
  /** The last revisions that are in them; null of a text. */
  from: z.number().nullable(),
  to: z.number().nullable(),
  /** What differs, the first few hundred; `before` is `from`'s. */
  objects: z.array(ChangedObject),
  /** How many more differ. */
  more: z.number(),
});
export type MeshComparison = z.infer<typeof MeshComparison>;

/** `POST /api/mesh/restore[?dryRun=true]`: the mesh, or what is selected of it, as it was. One of `revision` and `at`. */
export const RestoreRequest = z
  .strictObject({
    revision: z.number().int().min(0).optional(),
    /** Unix milliseconds. */
    at: z.number().int().min(0).optional(),
    kind: z.string().max(253).optional(),
    namespace: z.string().max(253).optional(),
    name: z.string().max(253).optional(),
  })
  .refine(({ revision, at }) => (revision === undefined) !== (at === undefined), "say one of revision and at");
export type RestoreRequest = z.infer<typeof RestoreRequest>;

/** `POST /api/mesh/import[?dryRun=true]`: what the text or the design names becomes so, in one change; with `prune` what it doesn't name is deleted. */
export const ImportRequest = z.union([
  z.strictObject({ yaml: z.string().min(1), prune: z.boolean().default(false) }),
  z.strictObject({ design: z.string().min(1).max(253), prune: z.boolean().default(false) }),
]);
export type ImportRequest = z.infer<typeof ImportRequest>;
