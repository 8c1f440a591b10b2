import { z } from "zod";

/** A part of the mesh (a process that the supervisor watches) that was started again. */
export const PartRestart = z.object({
  part: z.string(),
  /** `control-plane`, `collector`, `workload`, `sidecar`, … */
  kind: z.string(),
  /** xDS node id of a proxy; null for other parts. */
  node: z.string().nullable(),
  /** When it ended, Unix milliseconds. */
  at: z.number(),
  /** When it served again; null: not yet. */
  servedAt: z.number().nullable(),
  /** By itself or by somebody's signal, for want of an answer, or as planned. */
  cause: z.enum(["ended", "hung", "planned"]),
  /** `SIGKILL`, `code 1`; null of a planned one. */
  how: z.string().nullable(),
});
export type PartRestart = z.infer<typeof PartRestart>;

/** `GET /api/restarts`: those that this machine's supervisor remembers, the newest first. */
export const RestartList = z.object({ restarts: z.array(PartRestart) });
export type RestartList = z.infer<typeof RestartList>;
