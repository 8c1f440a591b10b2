// `npm run test:long -- chaos [clients] [seconds]`: 200 clients connect, lag, refuse, vanish and come back while config changes: on either protocol, over
// ADS or with a stream for each type. In the end all that remain hold what they should, and nothing else.

import { parseDocuments } from "../../server/config/kinds/index.ts";
import { MemoryConfigStore } from "../../server/config/memory-store.ts";
import { createControlPlane } from "../../server/control-plane/control-plane.ts";
import { systemClock } from "../../server/lib/clock.ts";
import { silentLogger } from "../../server/lib/logger.ts";
import { randomFrom } from "../../server/lib/testing/random.ts";
import { ChaosClient, extensionConfig, modes, modeText, runtimeLayer } from "./client.ts";

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

/** With a time or without: who lags for longer drops it, and must get it again. */
const layerOf = (percent: number, ttl: string) => `
apiVersion: limpid.dev/v1alpha1
kind: RuntimeLayer
metadata: { name: chaos, namespace: default }
spec: { layer: ${runtimeLayer}, ${ttl} values: { fault.http.abort.abort_percent: ${percent} } }
`;
const times = ["", "ttl: 3s,", "ttl: 10s,"];

const filterOf = (percent: number) => `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: chaos, namespace: default }
spec:
  configPatches:
  - applyTo: EXTENSION_CONFIG
    patch:
      operation: ADD
      value:
        name: ${extensionConfig}
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
          abort: { http_status: 503, percentage: { numerator: ${percent} } }
`;

function textOf(index: number): string {
  const kind = random(20);
  if (kind < 2) return layerOf(random(100), times[random(times.length)] ?? "");
  return kind === 2 ? filterOf(random(100)) : objectsOf(index, 1 + random(99), random(200));
}

async function change(index: number): Promise<void> {
  const text = textOf(index);
  const parsed = parseDocuments(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  // A service comes, changes in part or whole, or goes. A filter stays: the state-of-the-world protocol has no word for one that goes, and whoever held it keeps it.
  const gone = !parsed.value.some(({ kind }) => kind === "EnvoyFilter") && random(8) === 0;
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
const modeOf = (index: number) => modes[index % modes.length] ?? { protocol: "delta", ownStreams: false };
const clients = Array.from(
  { length: count },
  (_, index) => new ChaosClient({ target, index, mode: modeOf(index), random }),
);
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
/** On a machine that is busy with other things, too: what is looked for is what never comes. */
const patienceMs = 180_000;
let patience = Date.now() + patienceMs;
let wrong: string[] = [];
// Whoever comes anew holds what those hold that went through it all.
const fresh = modes.map((mode, i) => new ChaosClient({ target, index: count + i, mode, random }));
for (const client of fresh) client.settle();
do {
  await pause(200);
  for (const client of [...remaining, ...fresh]) client.expire();
  wrong = remaining.flatMap((client) => client.problems());
  if (wrong.length > 0) continue;
  wrong = fresh.flatMap((client) => {
    const others = remaining.filter(({ mode }) => mode === client.mode);
    const different = others.filter((other) => other.content() !== client.content());
    const [first] = different;
    return first
      ? [
          `${different.length} of ${others.length} hold something else than a new client: ${modeText(client.mode)}: ${first.differences(client)}`,
        ]
      : [];
  });
} while (wrong.length > 0 && Date.now() < patience);
// How long they took to agree is no part of how long it may take to miss those that have gone.
patience = Date.now() + patienceMs;
const connected = () => plane.proxies.list().filter((proxy) => proxy.connected);
while (connected().length !== remaining.length + fresh.length && Date.now() < patience) await pause(100);
if (connected().length !== remaining.length + fresh.length) {
  const indexOf = (id: string) => Number(/chaos-(\d+)/.exec(id)?.[1]);
  const ghosts = connected().filter(({ id }) => indexOf(id) % 10 === 0 && indexOf(id) < count);
  const since = ghosts.map(({ id, connectedAt }) => `${id} for ${Math.round((Date.now() - connectedAt) / 1000)} s`);
  wrong.push(
    `${connected().length} are told as connected, not ${remaining.length + fresh.length}: ${since.join(", ")}`,
  );
}
for (const line of wrong.slice(0, 20)) print(`wrong: ${line}`);
for (const client of fresh) print(`${modeText(client.mode)}: ${client.summary()}`);
print(wrong.length === 0 ? `all ${remaining.length} agree` : `seed ${seed} failed`);
for (const client of [...clients, ...fresh]) client.vanish();
await plane.stop();
process.exit(wrong.length === 0 ? 0 : 1);
