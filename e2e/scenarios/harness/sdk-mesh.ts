import { createHash, X509Certificate } from "node:crypto";
import { parseDocuments } from "../../../server/config/kinds/index.ts";
import { MemoryConfigStore } from "../../../server/config/memory-store.ts";
import { createControlPlane } from "../../../server/control-plane/control-plane.ts";
import { meshPorts } from "../../../server/fleet/ports.ts";
import { systemClock as clock } from "../../../server/lib/clock.ts";
import { silentLogger as logger } from "../../../server/lib/logger.ts";
import { startApplication } from "./application.ts";
import { TestAuthority } from "./authority.ts";
import { Cleanups } from "./cleanups.ts";
import { startCollector } from "./collector.ts";
import { freePorts } from "./ports.ts";
import { startProxy } from "./proxy.ts";

export const addresses = { shop: "127.0.79.1", client: "127.0.79.2", ratings: "127.0.79.3" };

/** Below those that the kernel hands out by itself, and apart from a mesh that runs here and from other tests'. */
const offset = 1_000 + (process.pid % 5_000);

export type SdkMesh = Awaited<ReturnType<typeof startSdkMesh>>;

/** A control plane that signs, a collector, `reviews` without proxies, `ratings` behind a sidecar that wants mutual TLS, and a client's sidecar. The application called `shop` is the test's own. */
export async function startSdkMesh() {
  const cleanups = new Cleanups();
  try {
    return await startParts(cleanups);
  } catch (error) {
    await cleanups.run();
    throw error;
  }
}

async function startParts(cleanups: Cleanups) {
  const ports = meshPorts(offset);
  const authority = await TestAuthority.create();
  cleanups.add(() => authority.remove());
  const store = new MemoryConfigStore({ clock });
  const plane = createControlPlane({
    store,
    xdsPort: ports.xds,
    xdsTls: { port: ports.xdsTls },
    join: { port: ports.join },
    authority: authority.authority,
    clock,
    logger,
    translateOptions: { tracingSamplingPercent: 100 },
  });
  await plane.start();
  cleanups.add(() => plane.stop());
  const collector = await startCollector(ports.collectorGrpc);
  cleanups.add(() => collector.close());
  const application = async (app: string, version: string) => {
    const started = await startApplication(app, version);
    cleanups.add(() => started.close());
    return started;
  };
  const [v1, v2, stars] = [
    await application("reviews", "v1"),
    await application("reviews", "v2"),
    await application("ratings", "v1"),
  ];
  const [shop = 0, shopGrpc = 0, shopTcp = 0] = await freePorts(3, addresses.shop);
  const [outbound = 0, tcp = 0] = await freePorts(2, addresses.client);
  const [ratings = 0] = await freePorts(1, addresses.ratings);
  const base = baseConfig({ v1: v1.port, v2: v2.port, ratings, shop, shopGrpc, shopTcp, tcp });
  const apply = async (...documents: string[]) => {
    const parsed = parseDocuments([base, ...documents].join("\n---\n"));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    const { items } = await store.list();
    const puts = parsed.value.map((object) => ({ op: "put" as const, object }));
    const names = new Set(parsed.value.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    const gone = items.filter(({ kind, metadata }) => !names.has(`${kind} ${metadata.name}`));
    const deletes = gone.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
      op: "delete" as const,
      key: { group: apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "", kind, namespace, name },
    }));
    const { revision, changes } = await store.commit([...puts, ...deletes], "test");
    if (changes.length > 0) await plane.pushes.wait(revision, 20_000);
  };
  await apply();
  const backends = async (account: string) => ({
    xdsPort: ports.xdsTls,
    collectorPort: ports.collectorGrpc,
    certificate: await authority.certify(account),
  });
  const start = async (app: string, ip: string, more: object) => {
    const labels = { app, version: "v1" };
    const node = { type: "sidecar" as const, ip, workload: `${app}-v1`, serviceAccount: app, labels, ...more };
    const proxy = await startProxy("limpid sidecar", node, await backends(app));
    cleanups.add(() => proxy.stop());
  };
  await Promise.all([
    start("client", addresses.client, { httpProxyPort: outbound }),
    start("ratings", addresses.ratings, {
      httpProxyPort: outbound,
      ingress: { [ratings]: `127.0.0.1:${stars.port}` },
    }),
  ]);
  return {
    apply,
    applications: { v1, v2, ratings: stars },
    collector,
    plane,
    portOffset: offset,
    /** Where `shop` is called, where the client's sidecar takes calls, and those of the TCP service that `shop` is, too. */
    ports: { shop, shopGrpc, shopTcp, outbound, tcp, ratings, xds: ports.xds },
    token(serviceAccount: string): string {
      const { identities } = plane;
      if (identities === undefined) throw new Error("the control plane has no authority");
      const pin = createHash("sha256").update(new X509Certificate(identities.rootPem).raw).digest("base64url");
      return `${identities.tokens.create({ namespace: "default", serviceAccount, ttlSec: 60 }).token}.${pin}`;
    },
    close: () => cleanups.run(),
  };
}

const service = (name: string, more = "") => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }${more}] }`;

const workload = (app: string, version: string, address: string, ports: string, more = "") => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${app}-${version}, namespace: default }
spec: { address: ${address}, ports: { ${ports} }, labels: { app: ${app}, version: ${version}${more} }${more && `, serviceAccount: ${app}`} }`;

const inMesh = ", security.istio.io/tlsMode: istio";

const baseConfig = (
  ports: Readonly<Record<"v1" | "v2" | "ratings" | "shop" | "shopGrpc" | "shopTcp" | "tcp", number>>,
) =>
  [
    service("reviews"),
    service("ratings"),
    service("shop", `, { name: grpc, port: 7070 }, { name: tcp, port: ${ports.tcp} }`),
    workload("reviews", "v1", "127.0.0.1", `http: ${ports.v1}`),
    workload("reviews", "v2", "127.0.0.1", `http: ${ports.v2}`),
    workload("ratings", "v1", addresses.ratings, `http: ${ports.ratings}`, inMesh),
    workload(
      "shop",
      "v1",
      addresses.shop,
      `http: ${ports.shop}, grpc: ${ports.shopGrpc}, tcp: ${ports.shopTcp}`,
      inMesh,
    ),
    `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }`,
    `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: default }
spec: { mtls: { mode: STRICT } }`,
  ].join("\n---\n");
