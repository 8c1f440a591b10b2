import { z } from "zod";
import { Badge } from "./graph.ts";

/** `GET /limpid/v1/badges?at=<unix ms>`: where config acted on calls to each service then. 410 where the history doesn't reach back so far. */
export const BadgesThen = z.object({
  /** The last revision that was in force. */
  revision: z.number(),
  services: z.array(z.object({ namespace: z.string(), hostname: z.string(), badges: z.array(Badge) })),
});
export type BadgesThen = z.infer<typeof BadgesThen>;
