import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { type EnvoyOptions, envoyMissing, freePort, startEnvoy } from "../../xds/testing/envoy.ts";
import { createControlPlane } from "../control-plane.ts";
import { startSidecar } from "./bundled-sidecar.ts";
import type { Closers } from "./scenario.ts";

export type StartProxy = (
  options: EnvoyOptions,
) => Promise<{ stop(): Promise<void>; admin?(path: string): Promise<string> }>;

/** A process of Envoy's, and the bundled sidecar in this one. */
export const shopProxies: { kind: string; start: StartProxy; missing: boolean }[] = [
  { kind: "Envoy", start: startEnvoy, missing: envoyMissing },
  { kind: "our sidecar", start: startSidecar, missing: false },
];

export interface ShopOptions {
  /** More than its ServiceEntry. */
  yaml?: string;
  /** What the application does; it answers 200 when unset. */
  application?: RequestListener;
  /** Where the proxy finds what its bootstrap names. */
  clusterPorts?: Record<string, number>;
}

/** The service `shop` with its proxy before it, on a control plane in plain text. `port` is the proxy's for it. */
export async function startShop(start: StartProxy, closers: Closers, options: ShopOptions = {}) {
  const { yaml = "", application = (_, response) => response.end("ok"), clusterPorts } = options;
  const server = createServer(application);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  const port = await freePort();
  const store = new MemoryConfigStore();
  const put = async (text: string) => {
    const parsed = parseDocuments(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  };
  await put(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, labels: { app: shop }, ports: { http: ${port} } }]
---${yaml}`);
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  const proxy = await start({
    id: "sidecar~127.0.0.1~shop.default~default.svc.cluster.local",
    xdsPort: plane.addresses().xds,
    api: "DELTA_GRPC",
    metadata: {
      LABELS: { app: "shop" },
      INTERCEPTION_MODE: "NONE",
      HTTP_PROXY_PORT: String(await freePort()),
      INGRESS: { [port]: `127.0.0.1:${(server.address() as AddressInfo).port}` },
    },
    staticClusters: ["limpid-collector"],
    ...(clusterPorts && { clusterPorts }),
  });
  closers.push(() => proxy.stop());
  return { port, store, plane, proxy, put };
}
