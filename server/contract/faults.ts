import { z } from "zod";

/** A workload that calls: one edge of the graph. */
export const FaultSource = z.object({
  namespace: z.string().min(1),
  app: z.string().min(1),
  /** Null: every version of it. */
  version: z.string().min(1).nullable(),
});
export type FaultSource = z.infer<typeof FaultSource>;

/** `POST /limpid/v1/faults[?dryRun=true]`: https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection */
export const FaultRequest = z
  .object({
    namespace: z.string().min(1),
    service: z.string().min(1),
    delay: z
      .object({ percentage: z.number().min(0).max(100), fixedDelayMs: z.number().int().min(1).max(600_000) })
      .nullable(),
    abort: z
      .object({ percentage: z.number().min(0).max(100), httpStatus: z.number().int().min(200).max(599) })
      .nullable(),
    /** Only requests with this header value. */
    header: z.object({ name: z.string().min(1), exact: z.string() }).nullable(),
    /** Only requests of this caller, by the labels of its workload; left out: whoever calls. */
    source: FaultSource.nullish(),
    /** Ends by itself after this; null: burns until stopped. */
    durationSec: z.number().int().min(5).max(86_400).nullable(),
  })
  .refine((fault) => fault.delay !== null || fault.abort !== null, {
    message: "a fault needs a delay, an abort, or both",
  });
export type FaultRequest = z.infer<typeof FaultRequest>;

/** One injected fault, found in a VirtualService, whoever wrote it. */
export const Fault = z.object({
  /** `<namespace>/<virtual service>/<id>`: the id given by Limpid, or `http-<index>` for one written by hand. */
  id: z.string(),
  namespace: z.string(),
  service: z.string(),
  virtualService: z.string(),
  delay: z.object({ percentage: z.number(), fixedDelayMs: z.number() }).nullable(),
  abort: z.object({ percentage: z.number(), httpStatus: z.number() }).nullable(),
  /** What it is limited to, for people; empty: every request. */
  matches: z.array(z.string()),
  author: z.string().nullable(),
  startedAt: z.number().nullable(),
  endsAt: z.number().nullable(),
});
export type Fault = z.infer<typeof Fault>;
export const FaultList = z.object({ now: z.number(), faults: z.array(Fault) });
export type FaultList = z.infer<typeof FaultList>;
