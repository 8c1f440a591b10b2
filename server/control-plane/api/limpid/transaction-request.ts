import { z } from "zod";

const Key = z.strictObject({ kind: z.string(), namespace: z.string().default(""), name: z.string().min(1) });

const ConfigDocument = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().optional(),
    resourceVersion: z.string().optional(),
  }),
});

/** As many as one set of files may hold, see config/kinds/documents.ts. */
export const maxTransactionWrites = 10_000;
export const maxTransactionBytes = 16 * 1024 * 1024;

/** `POST /limpid/v1/transactions[?dryRun=true]`: all of it or nothing. Answered with a ChangeResult. */
export const TransactionRequest = z.strictObject({
  writes: z
    .array(
      z.discriminatedUnion("op", [
        /** The object becomes exactly this. `expect`: only over this resourceVersion, or only when "absent". */
        z.strictObject({ op: z.literal("put"), object: ConfigDocument, expect: z.string().optional() }),
        /** Server-side apply: fields that others set and the document doesn't name stay. `force` takes fields over from others. */
        z.strictObject({ op: z.literal("apply"), object: ConfigDocument, force: z.boolean().default(false) }),
        z.strictObject({ op: z.literal("delete"), key: Key, expect: z.string().optional() }),
      ]),
    )
    .min(1)
    .max(maxTransactionWrites),
  reason: z.string().max(200).optional(),
  dryRun: z.boolean().default(false),
});
export type TransactionRequest = z.infer<typeof TransactionRequest>;
