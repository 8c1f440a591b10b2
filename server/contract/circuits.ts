import { z } from "zod";

/** How one proxy's calls of one cluster stand right now. */
export const Circuit = z.object({
  /** Of the proxy that calls: workload and namespace. */
  caller: z.string(),
  namespace: z.string(),
  port: z.number().int(),
  subset: z.string().nullable(),
  connections: z.number(),
  /** Requests in flight, and those that wait for a connection. */
  requests: z.number(),
  pending: z.number(),
  /** Turned away by a circuit breaker since the proxy started. */
  overflowed: z.number(),
  /** Endpoints that outlier detection has ejected, of all that it knows. */
  ejected: z.number(),
  endpoints: z.number(),
});
export type Circuit = z.infer<typeof Circuit>;

/** `GET /api/services/{namespace}/{name}/circuits`. */
export const Circuits = z.object({
  at: z.number(),
  circuits: z.array(Circuit),
  /** Connected proxies that could not be asked: they don't run on the dashboard's machine, or gave no answer. */
  unknown: z.number().int(),
});
export type Circuits = z.infer<typeof Circuits>;
