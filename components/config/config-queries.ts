"use client";
import { z } from "zod";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";

/** One stored object, as `GET /api/objects` gives it. */
export const ConfigDocument = z.object({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  resourceVersion: z.string(),
  yaml: z.string(),
});
export type ConfigDocument = z.infer<typeof ConfigDocument>;
export const ConfigDocuments = z.object({ objects: z.array(ConfigDocument) });
export type ConfigDocuments = z.infer<typeof ConfigDocuments>;

export interface ObjectKey {
  kind: string;
  namespace: string;
  name: string;
}

export const useObjects = (initial?: Settled<ConfigDocuments>): Live<ConfigDocuments> =>
  useLive({
    queryKey: ["objects"],
    read: (signal) => getJson(ConfigDocuments, "/api/objects", signal),
    everyMs: 5000,
    initial,
  });

export const useObject = (
  { kind, namespace, name }: ObjectKey,
  initial?: Settled<ConfigDocument>,
): Live<ConfigDocument> =>
  useLive({
    queryKey: ["object", kind, namespace, name],
    read: async (signal) => {
      // An object without a namespace can only be asked for with its kind.
      if (namespace !== "") {
        const query = new URLSearchParams({ kind, namespace, name });
        return getJson(ConfigDocument, `/api/objects?${query}`, signal);
      }
      const { objects } = await getJson(ConfigDocuments, `/api/objects?${new URLSearchParams({ kind })}`, signal);
      const found = objects.find((object) => object.name === name);
      if (!found) throw { code: "NOT_FOUND", message: `no ${kind} ${name}` };
      return found;
    },
    everyMs: 5000,
    initial,
  });
