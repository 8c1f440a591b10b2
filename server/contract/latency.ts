import { z } from "zod";
import { Gaps } from "./gaps.ts";

/** `GET /api/latency?window=<s>[&service=<name>][&source=<peer>][&destination=<peer>]`: how many requests took how long, over time. Without a service, of what enters the mesh. */
export const LatencyHeatmap = z.object({
  /** Unix milliseconds of the first step's start. */
  fromMs: z.number(),
  stepSec: z.number(),
  /** Since when there are records, Unix milliseconds. */
  dataFromMs: z.number(),
  gaps: Gaps,
  /** Upper bounds of the rows, milliseconds, ascending; the first begins with 0, the last has no bound but this. Only those between the fastest and the slowest. */
  boundsMs: z.array(z.number()),
  /** Lower bound of the first row. */
  leastMs: z.number(),
  /** Those with requests: step, row, how many, and how many of these failed. */
  cells: z.array(z.object({ step: z.number(), row: z.number(), count: z.number(), errors: z.number() })),
  steps: z.number(),
});
export type LatencyHeatmap = z.infer<typeof LatencyHeatmap>;

/** A request whose trace is kept. */
export const Exemplar = z.object({
  traceId: z.string(),
  /** End of the request, Unix milliseconds. */
  at: z.number(),
  durationMs: z.number(),
  /** 0: no response. */
  code: z.number(),
  grpcStatus: z.number().nullable(),
  flags: z.array(z.string()),
  method: z.string(),
  path: z.string(),
  version: z.string(),
  failed: z.boolean(),
});
export type Exemplar = z.infer<typeof Exemplar>;

/** `GET /api/exemplars?…`, with the parameters of `/api/logs`: the slowest of such requests and the newest that failed, each with a trace. */
export const Exemplars = z.object({ slow: z.array(Exemplar), failed: z.array(Exemplar) });
export type Exemplars = z.infer<typeof Exemplars>;
