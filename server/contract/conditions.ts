import { z } from "zod";

/** One condition that a rule has on its requests, in parts that a page puts into its reader's language. */
export const Condition = z.discriminatedUnion("about", [
  z.object({
    about: z.enum(["uri", "scheme", "method", "authority", "header", "query"]),
    /** Of the header or the parameter; empty for the others. */
    name: z.string(),
    op: z.enum(["exact", "prefix", "regex", "present"]),
    /** Empty when it need only be there. */
    value: z.string(),
    /** What the condition says must not be. */
    not: z.boolean(),
    anyCase: z.boolean(),
  }),
  z.object({ about: z.literal("port"), port: z.number() }),
  /** `labels`: `reviews v3`, and `tier=gold` of labels that are no name or version; empty, as the namespace, where it says nothing. */
  z.object({ about: z.literal("caller"), labels: z.array(z.string()), namespace: z.string() }),
  z.object({ about: z.literal("gateways"), gateways: z.array(z.string()) }),
]);
export type Condition = z.infer<typeof Condition>;

/** Alternatives, each of conditions that must all hold; none at all: every request. */
export const Conditions = z.array(z.array(Condition));
export type Conditions = z.infer<typeof Conditions>;
