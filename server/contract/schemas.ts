import { z } from "zod";

/** What may stand in a field, as far as somebody who writes it wants to know; made of the same tables as `kubectl explain`. */
export interface FieldSchema {
  type?: string | undefined;
  description?: string | undefined;
  enum?: (string | number | boolean)[] | undefined;
  properties?: Record<string, FieldSchema> | undefined;
  /** Of a list. */
  items?: FieldSchema | undefined;
  /** Of a map with names of the writer's own. */
  values?: FieldSchema | undefined;
}

export const FieldSchema: z.ZodType<FieldSchema> = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
  get properties() {
    return z.record(z.string(), FieldSchema).optional();
  },
  get items() {
    return FieldSchema.optional();
  },
  get values() {
    return FieldSchema.optional();
  },
});

/** `GET /api/schemas`: every kind that can be written. */
export const KindList = z.object({
  kinds: z.array(z.object({ kind: z.string(), apiVersion: z.string(), namespaced: z.boolean() })),
});
export type KindList = z.infer<typeof KindList>;

/** `GET /api/schemas/{kind}`: the whole object, `apiVersion` and `metadata` too. */
export const KindSchema = z.object({ kind: z.string(), apiVersion: z.string(), schema: FieldSchema });
export type KindSchema = z.infer<typeof KindSchema>;
