import type { ConfigObject } from "../config/object.ts";

/** Stores the demo's config in one transaction, unless the mesh already has services of its own. Returns whether it did. */
export async function seedConfig(configApi: string, objects: readonly ConfigObject[]): Promise<boolean> {
  const list = await fetch(`${configApi}/api/v1/services`, { headers: { accept: "application/json" } });
  if (!list.ok) throw new Error(`the config API answered ${list.status} to a list of services`);
  const { items } = (await list.json()) as { items: unknown[] };
  if (items.length > 0) return false;
  const answer = await fetch(`${configApi}/limpid/v1/transactions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-limpid-user": "limpid (demo)" },
    body: JSON.stringify({ reason: "the Bookinfo demo", writes: objects.map((object) => ({ op: "put", object })) }),
  });
  if (!answer.ok) throw new Error(`the config API refused the demo's config: ${answer.status} ${await answer.text()}`);
  return true;
}
