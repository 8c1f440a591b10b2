import { z } from "zod";
import { ChangeWord } from "./change-words.ts";
import { Fault } from "./faults.ts";
import { toldParts } from "./told.ts";

/** The author of a change whose client did not say who it is. */
export const unknownAuthor = "unknown client";
/** Whoever holds the token of the mesh's own machine, and said no name. */
export const machineAuthor = "machine";

/**
 * One commit of the config history. `GET /limpid/v1/changes?since=<unix ms>&limit=<n>[&before=<revision>][&until=<unix ms>][&author=]
 * [&type=<kind of change>][&object=<words of Kind namespace/name>]`, newest first.
 */
export const Change = z.object({
  revision: z.number(),
  at: z.number(),
  author: z.string(),
  /** For people, in a few words: `reviews 80/20/0 → 70/20/10`. */
  summary: z.string(),
  /** The same in parts. */
  words: z.array(ChangeWord),
  kind: z.enum(["config", "traffic", "fault-start", "fault-end"]),
  /** The weights of the first rule that it changed, for people; `before` is null where there was no split. */
  weights: z.object({ before: z.string().nullable(), after: z.string() }).optional(),
  /** Faults that began or ended with it. */
  faults: z.object({ started: z.array(Fault), ended: z.array(Fault) }).optional(),
  objects: z.array(
    z.object({
      type: z.enum(["ADDED", "MODIFIED", "DELETED"]),
      kind: z.string(),
      namespace: z.string(),
      name: z.string(),
    }),
  ),
});
export type Change = z.infer<typeof Change>;

/** What is valid in an object that a change writes or takes away, and yet hardly meant; kubectl prints the same. */
export const ConfigWarning = z.object({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  /** `spec.http[0].route[1].destination.subset`; empty for the whole object. */
  path: z.string(),
  message: z.string(),
  ...toldParts,
});
export type ConfigWarning = z.infer<typeof ConfigWarning>;

/** What the answer to `POST /limpid/v1/changes/{revision}/undo[?dryRun=true][&over=<revision>]` says of the change that it takes back. */
export const UndoneChange = z.object({
  change: Change,
  /**
   * Later changes of the same objects, newest first, which an undo overwrites; a dry run lists them. Without `over` the undo is then
   * refused (409); `over`, the newest of these revisions, says that they were seen.
   */
  since: z.array(Change),
});
export type UndoneChange = z.infer<typeof UndoneChange>;

export const ChangeList = z.object({
  changes: z.array(Change),
  /** `before` for what follows; null at the end of the history, unset of servers that don't tell. */
  next: z.number().nullable().optional(),
});
export type ChangeList = z.infer<typeof ChangeList>;

/** What narrows the history; everything is optional. */
export const ChangeQuery = z.object({
  /** Unix milliseconds. */
  sinceMs: z.number().int().min(0).default(0),
  untilMs: z.number().int().min(0).optional(),
  before: z.number().int().min(1).optional(),
  author: z.string().max(253).optional(),
  type: Change.shape.kind.optional(),
  object: z.string().max(300).optional(),
  limit: z.number().int().min(1).max(500).default(50),
});
export type ChangeQuery = z.infer<typeof ChangeQuery>;

/** `GET /limpid/v1/mesh`: every object as a person would write it, core kinds first. */
export const MeshExport = z.object({
  /** The last revision that is in it. */
  revision: z.number(),
  objects: z.array(z.object({ kind: z.string(), namespace: z.string(), name: z.string(), yaml: z.string() })),
});
export type MeshExport = z.infer<typeof MeshExport>;
