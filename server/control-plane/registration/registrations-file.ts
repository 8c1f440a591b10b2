import { z } from "zod";
import type { JsonFile } from "../../lib/json-file.ts";
import type { RegisteredWorkload } from "../../model/registered-workloads.ts";
import { keyOf, type RegistrationStore } from "./registrations.ts";

export const registeredWorkloadSchema: z.ZodType<RegisteredWorkload> = z.object({
  namespace: z.string(),
  group: z.string(),
  node: z.string(),
  workload: z.string(),
  address: z.string(),
  labels: z.record(z.string(), z.string()),
  network: z.string(),
  locality: z.string(),
  serviceAccount: z.string(),
  probed: z.boolean(),
  health: z
    .object({ healthy: z.boolean(), message: z.string(), at: z.number() })
    .optional()
    .transform((health) => health),
  registeredAt: z.number(),
  connectedAt: z.number(),
  disconnectedAt: z.number().nullable(),
  controller: z.string(),
}) as z.ZodType<RegisteredWorkload>;

/** A file beside config.db, replaced as a whole: a memory for the next start, and no config. */
export function registrationsFile(file: JsonFile): RegistrationStore {
  const all = new Map<string, RegisteredWorkload>();
  return {
    async load() {
      const read = z.array(registeredWorkloadSchema).parse(file.read() ?? []);
      for (const workload of read) all.set(keyOf(workload), workload);
      return read;
    },
    async save(changes) {
      for (const [key, workload] of changes) {
        if (workload) all.set(key, workload);
        else all.delete(key);
      }
      file.write([...all.values()]);
    },
  };
}
