import { openPrismaConfigStore } from "../prisma-config-store.ts";

/** A process of its own that commits one Namespace after the other: `node commit-namespaces.ts <url> <migrations> <name>…` */
const [url = "", migrations = "", ...names] = process.argv.slice(2);
const store = await openPrismaConfigStore({ url, migrations });
for (const name of names) {
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} };
  await store.commit([{ op: "put", object }], "other");
}
await store.close();
