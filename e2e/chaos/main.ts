// `npm run test:long -- chaos [clients] [seconds]`: 200 clients connect, lag, refuse, vanish and come back while config changes. In the end all that remain
// hold what they should, and nothing else.

import { parseDocuments } from "../../server/config/kinds/index.ts";
import { MemoryConfigStore } from "../../server/config/memory-store.ts";
import { createControlPlane } from "../../server/control-plane/control-plane.ts";
import { systemClock } from "../../server/lib/clock.ts";
import { silentLogger } from "../../server/lib/logger.ts";
import { randomFrom } from "../../server/lib/testing/random.ts";
import { ChaosClient } from "./client.ts";

const [count = 200, seconds = 60] = process.argv.slice(2).map(Number);
const seed = Number(process.env.LIMPID_CHAOS_SEED ?? Date.now() % 100_000);
const random = randomFrom(seed);
const services = 40;
const print = (line: string) => process.stdout.write(`${line}\n`);
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const store = new MemoryConfigStore();
const plane = createControlPlane({
  store,
  xdsPort: 0,
  clock: systemClock,
  logger: silentLogger,
  limits: { orderWaitMs: 500 },
});

const objectsOf = (index: number, weight: number, endpoint: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: s${index}, namespace: default }
spec:
  hosts: [s${index}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  endpoints:
  - { address: 10.1.0.${endpoint + 1}, labels: { version: v1 } }
  - { address: 10.2.0.${index + 1}, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: s${index}, namespace: default }
spec: { host: s${index}, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: s${index}, namespace: default }
spec:
  hosts: [s${index}]
  http: [{ route: [{ destination: { host: s${index}, subset: v1 }, weight: ${weight} }, { destination: { host: s${index}, subset: v2 }, weight: ${100 - weight} }] }]
`;

async function change(index: number): Promise<void> {
  const parsed = parseDocuments(objectsOf(index, 1 + random(99), random(200)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  // A service comes, changes in part or whole, or goes.
  const gone = random(8) === 0;
  await store
    .commit(
      parsed.value
        .filter(() => gone || random(3) > 0)
        .map((object) =>
          gone
            ? { op: "delete" as const, key: { kind: object.kind, namespace: "default", name: object.metadata.name } }
            : { op: "put" as const, object },
        ),
      "chaos",
    )
    .catch(() => undefined); // what is not there can't be deleted
}

print(`seed ${seed}: ${count} clients, ${seconds} s`);
for (let index = 0; index < services; index++) await change(index);
await plane.start();
const target = `127.0.0.1:${plane.addresses().xds}`;
const clients = Array.from({ length: count }, (_, index) => new ChaosClient({ target, index, random }));
const deadline = Date.now() + seconds * 1000;
let changes = 0;
while (Date.now() < deadline) {
  await change(random(services));
  changes++;
  for (let i = 0; i < 1 + count / 50; i++) clients[random(count)]?.act();
  await pause(20);
}
print(`${changes} changes, ${clients.reduce((sum, { lives }) => sum + lives, 0)} lives`);

const remaining = clients.filter((_, index) => index % 10 !== 0);
for (const client of clients) {
  if (remaining.includes(client)) client.settle();
  else client.vanish();
}
await change(0);
const patience = Date.now() + 60_000;
let wrong: string[] = [];
do {
  await pause(200);
  wrong = remaining.flatMap((client) => client.problems());
  const settled = new Set(remaining.map((client) => client.content()));
  if (wrong.length === 0 && settled.size === 1) break;
  if (wrong.length === 0) wrong = [`${settled.size} different states`];
} while (Date.now() < patience);
// Whoever comes anew holds what those hold that went through it all.
const fresh = new ChaosClient({ target, index: count, random });
fresh.settle();
const expected = remaining[0]?.content();
while (fresh.content() !== expected && Date.now() < patience) await pause(100);
if (fresh.content() !== expected) wrong.push("a new client holds something else");
const connected = () => plane.proxies.list().filter((proxy) => proxy.connected);
while (connected().length !== remaining.length + 1 && Date.now() < patience) await pause(100);
if (connected().length !== remaining.length + 1) {
  const ghosts = connected().filter(({ id }) => Number(/chaos-(\d+)/.exec(id)?.[1]) % 10 === 0);
  wrong.push(
    `${connected().length} are told as connected, not ${remaining.length + 1}: ${ghosts.map(({ id }) => id).join(", ")}`,
  );
}
for (const line of wrong.slice(0, 20)) print(`wrong: ${line}`);
print(wrong.length === 0 ? `all ${remaining.length} agree: ${fresh.summary()}` : `seed ${seed} failed`);
for (const client of [...clients, fresh]) client.vanish();
await plane.stop();
process.exit(wrong.length === 0 ? 0 : 1);
