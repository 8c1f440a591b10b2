import { z } from "zod";
import { PushLatency, PushStatus } from "./proxies.ts";
import { TelemetryHealth } from "./telemetry.ts";

/** `GET /api/status`: what is always in sight. */
export const MeshStatus = z.object({
  at: z.number(),
  mesh: z.string(),
  /** `total` counts who is expected: connected or not. */
  proxies: z.object({
    total: z.number(),
    inSync: z.number(),
    refused: z.number(),
    lagging: z.number(),
    disconnected: z.number(),
    /** Those whose certificate has ended, or should have been replaced by now. */
    lateCertificates: z.number(),
  }),
  lastPush: PushStatus.nullable(),
  pushes: PushLatency.nullable(),
  services: z.number(),
  /** How many of them are in trouble, over the last minute; null while traffic can't be read. A service without a proxy that it should have is. */
  trouble: z.object({ failing: z.number(), degraded: z.number() }).nullable(),
  /** Gateways whose clients are kept out, and those of which something is amiss (a certificate that ends soon); null while nobody knows. */
  gateways: z.object({ bad: z.number(), warn: z.number() }).nullable(),
  /** What people are told of now. */
  alerts: z.object({ active: z.number(), critical: z.number() }).optional(),
  /** Certificates that should have been replaced by now, and workloads at which STRICT turned plain text away lately; null: it can't be asked. */
  security: z.object({ expiring: z.number(), turnedAway: z.number() }).nullish(),
  /** Config objects that a proxy refuses. */
  refusedObjects: z.number(),
  faults: z.number(),
  /** Newest telemetry record, Unix milliseconds; null: none yet. */
  freshAt: z.number().nullable(),
  controlPlane: z.object({ reachable: z.boolean(), since: z.number().nullable(), message: z.string().nullable() }),
  telemetry: z.object({
    /** The store can be read. */
    reachable: z.boolean(),
    message: z.string().nullable(),
    /** What the collector says of itself; null: it gives no answer. */
    collector: TelemetryHealth.nullable(),
    /** A collector that had more to tell fell silent here, Unix milliseconds: what is missing since is no missing traffic. */
    silentSince: z.number().nullable(),
  }),
});
export type MeshStatus = z.infer<typeof MeshStatus>;
