import { keyOf } from "../../config/object.ts";
import type { ConfigStore, Write } from "../../config/store.ts";
import { forbidden } from "./status-error.ts";

/** Namespaces that the mesh can't do without. */
const permanentNamespaces = ["default", "istio-system"];

export const namespaceResource = { plural: "namespaces", group: "", kind: "Namespace" };

/** The deletes of everything in a namespace, which goes with it in one commit. Throws 403 for one that must stay. */
export async function namespaceWrites(store: ConfigStore, namespace: string): Promise<Write[]> {
  if (permanentNamespaces.includes(namespace)) {
    throw forbidden(namespaceResource, namespace, "this namespace may not be deleted");
  }
  const { items } = await store.list({ namespace });
  return items.map((object) => ({ op: "delete", key: keyOf(object) }));
}
