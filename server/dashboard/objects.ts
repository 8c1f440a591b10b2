import type { ConfigApiClient, WriteOptions } from "../config/api-client.ts";
import { keepLastApplied } from "../config/last-applied.ts";
import { type ConfigDocument, findDocument, listDocuments } from "../config/mesh-config.ts";
import type { Write } from "../config/store.ts";
import type { ChangeResult, KindList, KindSchema } from "../contract/index.ts";
import { kindList, kindSchema } from "./kind-schemas.ts";
import { readDocuments } from "./read-documents.ts";

/** The mesh's config, object by object. */
export interface Objects {
  object(key: { kind: string; namespace: string; name: string }): Promise<ConfigDocument>;
  objects(kind?: string): Promise<{ objects: ConfigDocument[] }>;
  /** Writes the objects of a text and takes others away, as one change. */
  applyYaml(text: string, gone: readonly ObjectKey[], options: WriteOptions): Promise<ChangeResult>;
  kinds(): Promise<KindList>;
  /** Rejects with NOT_FOUND. */
  kindSchema(kind: string): Promise<KindSchema>;
}

/** An object to be taken away; with a version, only as long as it is that. */
export interface ObjectKey {
  kind: string;
  namespace: string;
  name: string;
  resourceVersion?: string | undefined;
}

export const createObjects = (api: ConfigApiClient): Objects => ({
  object: (key) => findDocument(api, key),
  objects: async (kind) => ({ objects: await listDocuments(api, kind) }),
  kinds: async () => kindList(),
  kindSchema: (kind) => kindSchema(api, kind),
  async applyYaml(text, gone, options) {
    const documents = await readDocuments(text);
    const edited = await Promise.all(documents.map((object) => keepLastApplied(object, api.objects)));
    const puts = edited.map((object): Write => {
      // A version in the YAML is the one it was edited from: somebody else's write meanwhile is a conflict, as with kubectl replace.
      const expect = object.metadata.resourceVersion;
      return { op: "put", object, ...(expect && { expect }) };
    });
    const deletes = gone.map(
      ({ resourceVersion: expect, ...key }): Write => ({ op: "delete", key, ...(expect && { expect }) }),
    );
    return api.transact([...puts, ...deletes], undefined, options);
  },
});
