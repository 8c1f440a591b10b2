import { z } from "zod";
import { Gaps } from "./gaps.ts";
import { Signals } from "./graph.ts";

/** `GET /api/overview`: the mesh as those see it who call it from outside; each request counts once. */
export const Overview = z.object({
  /** End of what is shown, Unix milliseconds. */
  at: z.number(),
  /** Over the last minute, or as much of it as there are records of. */
  signals: Signals,
  /** The last hour, or all there is of a younger mesh, in steps; null where nothing is recorded, latencies also where nobody called. */
  timeline: z.object({
    fromMs: z.number(),
    stepSec: z.number(),
    requestRate: z.array(z.number().nullable()),
    errorShare: z.array(z.number().nullable()),
    latencyMsP95: z.array(z.number().nullable()),
    /** Rates of steps that they touch are of the rest. */
    gaps: Gaps,
  }),
});
export type Overview = z.infer<typeof Overview>;
