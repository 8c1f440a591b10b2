import { request } from "node:http";
import type { ConfigObject } from "../config/object.ts";

/** Stores the demo's config in one transaction, unless the mesh already has services of its own. Returns whether it did. */
export async function seedConfig(configApi: string, objects: readonly ConfigObject[]): Promise<boolean> {
  const list = await ask(`${configApi}/api/v1/services`);
  if (list.status !== 200) throw new Error(`the config API answered ${list.status} to a list of services`);
  const { items } = JSON.parse(list.text) as { items: unknown[] };
  if (items.length > 0) return false;
  const answer = await ask(`${configApi}/limpid/v1/transactions`, {
    reason: "the Bookinfo demo",
    writes: objects.map((object) => ({ op: "put", object })),
  });
  if (answer.status !== 200)
    throw new Error(`the config API refused the demo's config: ${answer.status} ${answer.text}`);
  return true;
}

/** With node:http, which the supervisor has anyway: the first `fetch` of a process costs it 15 MB and 0.1 s. */
function ask(url: string, body?: unknown): Promise<{ status: number; text: string }> {
  const headers = { accept: "application/json", "content-type": "application/json", "x-limpid-user": "limpid (demo)" };
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const req = request(url, { method, headers, agent: false, timeout: 30_000 }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      res.on("error", reject);
    });
    req.on("timeout", () => req.destroy(new Error(`${url} gave no answer within 30 s`)));
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
