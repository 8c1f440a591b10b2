import { z } from "zod";

export const canaryEvents = ["step", "paused", "resumed", "finished", "promoted", "rollback", "aborted"] as const;

/** What a change does, in parts that a page puts into words of its reader's language; `Change.summary` is the same in English. */
export const ChangeWord = z.discriminatedUnion("code", [
  /** Weights by subset, `80/20/0`; null: every version alike. */
  z.object({
    code: z.literal("shift"),
    service: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
  }),
  /** A split where there was none. */
  z.object({ code: z.literal("split"), service: z.string(), after: z.string() }),
  z.object({
    code: z.literal("fault-start"),
    service: z.string(),
    /** `time` as the object has it, such as `2s`. */
    delay: z.object({ percentage: z.number(), time: z.string() }).nullable(),
    /** `status`: of HTTP, or gRPC's name; null where none is set. */
    abort: z.object({ percentage: z.number(), status: z.string().nullable() }).nullable(),
  }),
  z.object({ code: z.literal("fault-end"), service: z.string() }),
  /** The fuse ended it. */
  z.object({ code: z.literal("fault-over"), service: z.string() }),
  /** A guided canary did so; `weight`: what the new version gets of both, in percent. */
  z.object({
    code: z.literal("canary"),
    canary: z.string(),
    event: z.enum(canaryEvents),
    version: z.string(),
    weight: z.number(),
  }),
  /** `names`, such as `VirtualService reviews`, of up to three. */
  z.object({
    code: z.literal("objects"),
    type: z.enum(["ADDED", "MODIFIED", "DELETED"]),
    count: z.number().int(),
    names: z.array(z.string()),
  }),
  /** What follows takes this revision back. */
  z.object({ code: z.literal("undo"), revision: z.number().int() }),
  /** What follows makes objects as they were at this revision. */
  z.object({ code: z.literal("restore"), revision: z.number().int() }),
  z.object({ code: z.literal("design"), design: z.string() }),
  /** What Limpid itself writes. */
  z.object({ code: z.literal("limpid"), what: z.enum(["namespaces", "demo", "demo-certificate"]) }),
  /** The author's own. */
  z.object({ code: z.literal("own"), text: z.string() }),
]);
export type ChangeWord = z.infer<typeof ChangeWord>;

/** As the history keeps them. */
export const limpidReasons = {
  namespaces: "the mesh's own namespaces",
  demo: "the Bookinfo demo",
  "demo-certificate": "a new certificate for the demo's gateway",
} as const satisfies Record<Extract<ChangeWord, { code: "limpid" }>["what"], string>;

export const designReason = (design: string): string => `design ${design}`;
