import type { ConfigObject } from "../config/object.ts";
import { limpidReasons } from "../contract/index.ts";
import { createHttpClient } from "../lib/http-client.ts";

const timeoutMs = 30_000;

/** Stores the demo's config in one transaction, unless the mesh already has services of its own. Returns whether it did. */
export async function seedConfig(configApi: string, make: () => Promise<readonly ConfigObject[]>): Promise<boolean> {
  const client = createHttpClient(configApi, timeoutMs);
  const list = await client.call("GET", "/api/v1/services");
  if (list.status !== 200) throw new Error(`the config API answered ${list.status} to a list of services`);
  const { items } = JSON.parse(list.text) as { items: unknown[] };
  if (items.length > 0) return false;
  const objects = await make();
  const answer = await client.call("POST", "/limpid/v1/transactions", {
    headers: { "content-type": "application/json", "x-limpid-user": "limpid (demo)" },
    body: JSON.stringify({
      reason: limpidReasons.demo,
      writes: objects.map((object) => ({ op: "put", object })),
    }),
  });
  if (answer.status !== 200)
    throw new Error(`the config API refused the demo's config: ${answer.status} ${answer.text}`);
  return true;
}
