import { z } from "zod";

/** What a proxy is to be started with, by ProxyConfigs and the MeshConfig. */
export const ProxyStart = z.object({
  /** Workers; 0: as many as there are cores; left out: as whoever starts it has it. */
  concurrency: z.number().optional(),
  environmentVariables: z.record(z.string(), z.string()),
});
export type ProxyStart = z.infer<typeof ProxyStart>;

/** `POST /limpid/v1/proxy-starts` */
export const ProxyStartsRequest = z.object({
  workloads: z
    .array(z.object({ namespace: z.string().max(63), labels: z.record(z.string().max(317), z.string().max(63)) }))
    .max(1_000),
});
/** In the order of the request. */
export const ProxyStarts = z.object({ starts: z.array(ProxyStart) });
