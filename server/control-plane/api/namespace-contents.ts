import { permanentNamespaces } from "../../config/kinds/namespace.ts";
import { keyOf } from "../../config/object.ts";
import type { ConfigStore, Write } from "../../config/store.ts";
import { limpidReasons } from "../../contract/index.ts";
import type { ApiContext } from "./context.ts";
import { forbidden, notFound } from "./status-error.ts";

const namespaceResource = { plural: "namespaces", group: "", kind: "Namespace" };

/** Makes the permanent namespaces where they are missing, so that an empty mesh can be written to. */
export async function ensureNamespaces(store: ConfigStore): Promise<void> {
  const writes: Write[] = [];
  for (const name of permanentNamespaces) {
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} };
    if ((await store.get(keyOf(object))) === undefined) writes.push({ op: "put", object });
  }
  if (writes.length > 0) await store.commit(writes, "limpid", { reason: limpidReasons.namespaces });
}

export async function namespaceExists(context: ApiContext, namespace: string): Promise<boolean> {
  if (namespace === "" || context.kinds.byKind("Namespace") === undefined) return true;
  return (await context.store.get({ kind: "Namespace", namespace: "", name: namespace })) !== undefined;
}

/** Throws Kubernetes' 404 when objects can't be made there. */
export async function requireNamespace(context: ApiContext, namespace: string): Promise<void> {
  if (!(await namespaceExists(context, namespace))) throw notFound(namespaceResource, namespace);
}

/** The deletes of everything in a namespace, which goes with it in one commit. Throws 403 for one that must stay. */
export async function namespaceWrites(store: ConfigStore, namespace: string): Promise<Write[]> {
  if (permanentNamespaces.includes(namespace)) {
    throw forbidden(namespaceResource, namespace, "this namespace may not be deleted");
  }
  const { items } = await store.list({ namespace });
  return items.map((object) => ({ op: "delete", key: keyOf(object) }));
}
