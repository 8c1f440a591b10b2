import { z } from "zod";

/** Unix milliseconds. */
export const Gap = z.object({ fromMs: z.number(), toMs: z.number() });
export type Gap = z.infer<typeof Gap>;

/** Stretches of which records are missing, or may be: nobody knows that nothing was called there. Left out where there are none. */
export const Gaps = z.array(Gap).optional();
