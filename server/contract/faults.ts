import { z } from "zod";
import { Conditions } from "./conditions.ts";

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
    /**
     * Where: `mesh` for callers inside of it, `<namespace>/<name>` for those who come by a gateway. Left out: wherever the service is
     * entered, or where `source` calls from. The answer's `objects` say which VirtualServices that makes.
     */
    through: z.array(z.string().min(1)).min(1).max(20).optional(),
    /** Ends by itself after this; null: burns until stopped. */
    durationSec: z.number().int().min(5).max(86_400).nullable(),
  })
  .refine((fault) => fault.delay !== null || fault.abort !== null, {
    message: "a fault needs a delay, an abort, or both",
  });
export type FaultRequest = z.infer<typeof FaultRequest>;

/** One injected fault, found in a VirtualService, whoever wrote it. */
export const Fault = z.object({
  /**
   * `<namespace>/<virtual service>/<id>`: the id given by Limpid, or `http-<index>` for one written by hand. One that Limpid put into
   * several VirtualServices is listed once, and stopped in all of them.
   */
  id: z.string(),
  /** The service's own, where the registry has it, else the VirtualService's. */
  namespace: z.string(),
  /** The name of the service whose requests it hits, or the host that clients call, where no registry knows it. */
  service: z.string(),
  /** Fully qualified; null when the registry has no such service, and so no page for it. */
  hostname: z.string().nullable(),
  /** What clients call, as the VirtualService has it. */
  hosts: z.array(z.string()),
  /** Where it is in force: `mesh`, or gateways as `<namespace>/<name>`. */
  through: z.array(z.string()),
  virtualService: z.string(),
  delay: z.object({ percentage: z.number(), fixedDelayMs: z.number() }).nullable(),
  /** One of the two statuses is there; a gRPC call that is aborted answers HTTP 200 with it, any other call what gRPC maps it to. */
  abort: z
    .object({ percentage: z.number(), httpStatus: z.number().nullable(), grpcStatus: z.string().nullable() })
    .nullable(),
  /** What it is limited to, for people; empty: every request. */
  matches: z.array(z.string()),
  /** The same in parts. */
  conditions: Conditions.optional(),
  /** The one caller that it is limited to; null or left out: whoever calls. */
  source: FaultSource.nullish(),
  author: z.string().nullable(),
  startedAt: z.number().nullable(),
  endsAt: z.number().nullable(),
});
export type Fault = z.infer<typeof Fault>;
export const FaultList = z.object({ now: z.number(), faults: z.array(Fault) });
export type FaultList = z.infer<typeof FaultList>;
