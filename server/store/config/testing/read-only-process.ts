import { once } from "node:events";
import { openPrismaConfigStore } from "../prisma-config-store.ts";

/** A process of its own that opens the store, and tries a commit whenever it is told to: `node read-only-process.ts <url> <migrations>` */
const [url = "", migrations = ""] = process.argv.slice(2);
const store = await openPrismaConfigStore({ url, migrations });
const { items } = await store.list();
process.send?.(`opened with ${items.map(({ metadata }) => metadata.name)}`);
for (let step = 0; step < 2; step++) {
  await once(process, "message");
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: `step-${step}`, namespace: "" }, spec: {} };
  const outcome = await store.commit([{ op: "put", object }], "other").then(
    () => "committed",
    (error: Error) => error.message,
  );
  process.send?.(outcome);
}
await store.close();
process.disconnect();
