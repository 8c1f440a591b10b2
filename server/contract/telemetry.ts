import { z } from "zod";

/** `GET /api/telemetry`: what the collector says of itself, as it answers on `/healthz`. Counts are since it started. */
export const TelemetryHealth = z.object({
  /** What comes in can be written. */
  ok: z.boolean(),
  /** Why not; empty when it can. */
  message: z.string(),
  /** Unix milliseconds; 0: nothing was written yet. */
  lastWriteMs: z.number(),
  /** Since it started, the last time that what was written before was gone and the store was begun anew; null: it is still there. */
  storeReplaced: z.object({ atMs: z.number(), why: z.string() }).nullable(),
  failedFlushes: z.number(),
  /** Detail given up under load; counts of requests never are. */
  shed: z.object({ samples: z.number(), spans: z.number(), logs: z.number(), metricPoints: z.number() }),
  lateRecords: z.number(),
  /** Requests counted without names, because there were too many different ones. */
  overflowedRecords: z.number(),
  /** Requests whose caller was not believed to be who it said. */
  disbelievedCallers: z.number(),
  /** Requests, spans and log records whose time was none, or to come: a clock is wrong. They are dated when they came. */
  misdatedRecords: z.number().default(0),
  /** Access log entries that count for nothing, and the proxies that most of them are from. */
  ignored: z.object({
    entries: z.number(),
    logs: z.array(
      z.object({
        proxy: z.string(),
        logName: z.string(),
        because: z.string(),
        entries: z.number(),
        lastAtMs: z.number(),
      }),
    ),
  }),
  /** What tail sampling kept of traces and left out, since the collector started; null: every trace is kept. */
  sampling: z
    .object({
      keptErrors: z.number(),
      keptSlow: z.number(),
      keptRandom: z.number(),
      keptElsewhere: z.number().default(0),
      droppedTraces: z.number(),
      droppedSpans: z.number(),
      truncatedSpans: z.number(),
      earlyRounds: z.number(),
      lateSpans: z.number(),
      heldTraces: z.number(),
      heldSpans: z.number(),
    })
    .nullable()
    .default(null),
  /** What is passed on to an OTLP backend, by signal: spans, points of metrics, log records. */
  exports: z
    .array(
      z.object({
        signal: z.string(),
        endpoint: z.string(),
        sent: z.number(),
        /** The queue was full. */
        dropped: z.number(),
        refused: z.number(),
        retries: z.number(),
        waiting: z.number(),
        /** Why the last attempt failed; empty: it did not. */
        lastError: z.string(),
      }),
    )
    .default([]),
});
export type TelemetryHealth = z.infer<typeof TelemetryHealth>;

/** Whether anything of it is worth a look: it can't write, gave something up, or lost what it had. */
export const losesTelemetry = ({
  ok,
  storeReplaced,
  shed,
  overflowedRecords,
  ignored,
  exports,
}: TelemetryHealth): boolean =>
  !ok ||
  storeReplaced !== null ||
  exports.some(({ dropped, refused, lastError }) => dropped + refused > 0 || lastError !== "") ||
  overflowedRecords + ignored.entries + shed.samples + shed.spans + shed.logs + shed.metricPoints > 0;
