// A mesh in a network namespace of its own, where iptables bring traffic to a real Envoy as they do in a pod. Run by interception.integration.test.ts
// under `unshare -n`, with the mode of interception; prints what its clients saw, as one line of JSON.
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
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
const isTransparent = process.argv[2] === "TPROXY";
/** By which the rules know what Envoy sends from another's address, and the table that brings the answers back. As Istio's. */
const [mark, table] = ["1337", "133"];

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

const iptables = (rule: string) => run(process.env.LIMPID_IPTABLES ?? "iptables", ...rule.split(" "));

function prepareNetwork(): void {
  run("ip", "link", "set", "lo", "up");
  const here = [own, reviews, elsewhere, database, ...(isTransparent ? [] : [peer])];
  for (const address of here) run("ip", "addr", "add", `${address}/32`, "dev", "lo");
  // Whatever else is asked for must have a way, or nothing would leave at all.
  run("ip", "route", "add", "10.0.0.0/8", "dev", "lo");
  const redirect = (user: number, to: string, port: number) =>
    iptables(`-t nat -A OUTPUT -p tcp -m owner --uid-owner ${user} -d ${to} -j REDIRECT --to-ports ${port}`);
  redirect(applicationUser, "10.0.0.0/8", 15_001);
  if (!isTransparent) redirect(peerUser, `${own}/32`, 15_006);
}

/** The peer in a network of its own, at the other end of a wire: what comes by that goes to Envoy as it is, and so do the application's answers to it. */
function prepareTransparency(pid: number): void {
  run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "peer", "netns", String(pid));
  run("ip", "link", "set", "wire", "up");
  run("ip", "route", "add", `${peer}/32`, "dev", "wire", "src", own);
  inPeer(pid, "ip", "addr", "add", `${peer}/32`, "dev", "peer");
  inPeer(pid, "ip", "link", "set", "peer", "up");
  inPeer(pid, "ip", "route", "add", `${own}/32`, "dev", "peer");
  iptables(`-t mangle -A PREROUTING -p tcp -m mark --mark ${mark} -j CONNMARK --save-mark`);
  iptables("-t mangle -A PREROUTING -i wire -p tcp -m socket --transparent -j MARK --set-mark 1337");
  iptables(
    `-t mangle -A PREROUTING -i wire -p tcp -m mark ! --mark ${mark} -j TPROXY --on-port 15006 --tproxy-mark ${mark}`,
  );
  iptables(`-t mangle -A OUTPUT -p tcp -m connmark --mark ${mark} -j CONNMARK --restore-mark`);
  run("ip", "rule", "add", "fwmark", mark, "lookup", table);
  run("ip", "route", "add", "local", "default", "dev", "lo", "table", table);
}

const inPeer = (pid: number, ...command: string[]) => run("nsenter", "-t", String(pid), "-n", ...command);

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

/** Of the peer's network, when it has one: whoever sleeps there, so that it lasts. */
const peerNetwork = isTransparent
  ? spawn("unshare", ["-n", process.execPath, "-e", "console.log('in'); setTimeout(() => {}, 90_000)"])
  : undefined;

async function as(user: number, script: string): Promise<string> {
  const program = `process.setuid(${user}); (async () => { ${script} })().catch((error) => console.log("failed: " + (error.cause?.code ?? error.message)))`;
  const node = [process.execPath, "-e", program];
  const there =
    user === peerUser && peerNetwork?.pid ? ["nsenter", "-t", String(peerNetwork.pid), "-n", ...node] : node;
  const { stdout } = await execute(there[0] ?? "", there.slice(1), { timeout: 20_000 });
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
if (peerNetwork) {
  await once(peerNetwork.stdout, "data");
  prepareTransparency(peerNetwork.pid ?? 0);
}
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
  metadata: { LABELS: { app: "productpage" }, ...(isTransparent && { INTERCEPTION_MODE: "TPROXY" }) },
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
peerNetwork?.kill();
process.exit(0);
