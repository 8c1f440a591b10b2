// A mesh in a network namespace of its own, where iptables bring traffic to a real Envoy as they do in a pod. Run by interception.integration.test.ts
// under `unshare -n`; prints what its clients saw, as one line of JSON.
import { execFile, execFileSync } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { startEnvoy } from "../../xds/testing/envoy.ts";
import { createControlPlane } from "../control-plane.ts";

const [own, reviews, elsewhere, database, peer] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.8"];
/** The application behind the sidecar, and one in another pod, are told apart by user. Root is Envoy and everybody else. */
const [applicationUser, peerUser] = [1338, 1339];

const config = `
apiVersion: v1
kind: Service
metadata: { name: productpage, namespace: default }
spec: { selector: { app: productpage }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: productpage-v1, namespace: default }
spec: { address: ${own}, labels: { app: productpage } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews.default.svc.cluster.local]
  location: MESH_INTERNAL
  addresses: [10.1.0.2]
  resolution: STATIC
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  endpoints: [{ address: ${reviews}, ports: { http: 9000 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
  - match: [{ uri: { prefix: /no } }]
    directResponse: { status: 418 }
  - route: [{ destination: { host: reviews } }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: database, namespace: default }
spec:
  hosts: [db.example.com]
  addresses: [10.1.0.4]
  resolution: STATIC
  ports: [{ name: tcp, number: 3306, protocol: TCP }]
  endpoints: [{ address: ${database}, ports: { tcp: 3307 } }]
`;

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });

function prepareNetwork(): void {
  run("ip", "link", "set", "lo", "up");
  for (const address of [own, reviews, elsewhere, database, peer])
    run("ip", "addr", "add", `${address}/32`, "dev", "lo");
  // Whatever else is asked for must have a way, or nothing would leave at all.
  run("ip", "route", "add", "10.0.0.0/8", "dev", "lo");
  const iptables = process.env.LIMPID_IPTABLES ?? "iptables";
  const redirect = (user: number, to: string, port: number) =>
    run(
      iptables,
      ..."-t nat -A OUTPUT -p tcp -m owner --uid-owner".split(" "),
      String(user),
      "-d",
      to,
      ..."-j REDIRECT --to-ports".split(" "),
      String(port),
    );
  redirect(applicationUser, "10.0.0.0/8", 15_001);
  redirect(peerUser, `${own}/32`, 15_006);
}

/** Says who it is and from where it is called. */
function web(address: string, port: number, name: string): Promise<void> {
  const server = createHttpServer((request, response) => response.end(`${name} from ${request.socket.remoteAddress}`));
  return new Promise((done) => server.listen(port, address, done));
}

/** Speaks first, as databases do. */
function banner(address: string, port: number): Promise<void> {
  const server = createServer((socket) => socket.end("welcome"));
  return new Promise((done) => server.listen(port, address, done));
}

const execute = promisify(execFile);

async function as(user: number, script: string): Promise<string> {
  const program = `process.setuid(${user}); (async () => { ${script} })().catch((error) => console.log("failed: " + (error.cause?.code ?? error.message)))`;
  const { stdout } = await execute(process.execPath, ["-e", program], { timeout: 20_000 });
  return stdout.trim();
}

const get = (user: number, url: string, host?: string) =>
  as(
    user,
    `const http = require("node:http");
     await new Promise((done, fail) => {
       const request = http.get("${url}", { headers: ${JSON.stringify(host ? { host } : {})} }, async (response) => {
         let body = ""; for await (const chunk of response) body += chunk;
         console.log(response.statusCode + " " + (response.headers.server ?? "") + " " + body); done();
       });
       request.on("error", fail);
     });`,
  );

const greeting = (user: number, address: string, port: number) =>
  as(user, `for await (const chunk of require("node:net").connect(${port}, "${address}")) console.log(String(chunk));`);

prepareNetwork();
const parsed = parseDocuments(config);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
const store = new MemoryConfigStore();
await store.commit(
  parsed.value.map((object) => ({ op: "put" as const, object })),
  "test",
);
const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
await plane.start();
await Promise.all([
  web(own, 9_080, "productpage"),
  web(own, 9_999, "unlisted"),
  web(reviews, 9_000, "reviews"),
  web(elsewhere, 7_000, "elsewhere"),
  banner(database, 3_307),
]);
const envoy = await startEnvoy({
  id: `sidecar~${own}~productpage-v1.default~default.svc.cluster.local`,
  xdsPort: plane.addresses().xds,
  api: "DELTA_GRPC",
  metadata: { LABELS: { app: "productpage" } },
});
const deadline = Date.now() + 20_000;
while (!(await envoy.admin("/ready")).includes("LIVE") || !(await envoy.admin("/listeners")).includes("15006")) {
  if (Date.now() > deadline) throw new Error(envoy.logs());
  await new Promise((done) => setTimeout(done, 50));
}
const app = applicationUser;
const seen = {
  service: await get(app, "http://10.1.0.2:8080/", "reviews:8080"),
  rule: await get(app, "http://10.1.0.2:8080/no", "reviews"),
  unknownHost: await get(app, `http://${elsewhere}:7000/`),
  unknownOnKnownPort: await get(app, "http://10.0.0.2:8080/", "nobody.example.com"),
  serverFirst: await greeting(app, "10.1.0.4", 3_306),
  inbound: await get(peerUser, `http://${own}:9080/`),
  inboundUnlisted: await get(peerUser, `http://${own}:9999/`),
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
await envoy.stop();
process.exit(0);
