import { z } from "zod";

/** `GET /api/retention`: how long each kind of telemetry is kept, and how much of it at the most. */
export const RetentionList = z.object({
  settings: z.array(
    z.object({
      /** As a flag, the variable LIMPID_RETENTION and the messages `retention.of` know it. */
      name: z.string(),
      kind: z.enum(["duration", "count"]),
      /** What holds: a duration such as `36h` or `7d`, or a number. */
      value: z.string(),
      default: z.string(),
      /** What was set here; null: nothing was. */
      set: z.string().nullable(),
      /** A flag or a variable says what holds, and nothing that is set here does. */
      fixed: z.boolean(),
      /** Bytes when it is used up, in all or for each edge of the graph and side that reports it; null where it bounds nothing of its own. */
      disk: z.object({ bytes: z.number(), perEdge: z.boolean() }).nullable(),
    }),
  ),
});
export type RetentionList = z.infer<typeof RetentionList>;

/** `PUT /api/retention`: all that is set here from now on; what is not named, or empty, is at its default. */
export const RetentionChange = z.object({ settings: z.record(z.string().max(40), z.string().max(40)) });
export type RetentionChange = z.infer<typeof RetentionChange>;
