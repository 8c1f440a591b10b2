import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { type EnvoyOptions, envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";
import { startSidecar } from "./testing/bundled-sidecar.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type StartProxy = (options: EnvoyOptions) => Promise<{ stop(): Promise<void> }>;

/** A service with its proxy before it, and somebody who asks it. */
async function setUp(start: StartProxy) {
  const application = createServer((_, response) => response.end("ok"));
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const inbound = await freePort();
  const store = new MemoryConfigStore();
  const put = async (yaml: string) => {
    const parsed = parseDocuments(yaml);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  };
  const remove = (name: string) =>
    store.commit([{ op: "delete", key: { kind: "EnvoyFilter", namespace: "default", name } }], "test");
  await put(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, labels: { app: shop }, ports: { http: ${inbound} } }]
`);
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
      INGRESS: { [inbound]: `127.0.0.1:${(application.address() as AddressInfo).port}` },
    },
    staticClusters: ["limpid-collector"],
  });
  closers.push(() => proxy.stop());
  const ask = (path = "/") =>
    new Promise<string>((resolve) => {
      const sent = request({ port: inbound, host: "127.0.0.1", path, agent: false }, (response) => {
        response.resume().on("end", () => {
          const told = ["server", "x-lua", "x-inbound"].map((name) => response.headers[name] ?? "-");
          resolve([response.statusCode, ...told].join(" "));
        });
      });
      sent.on("error", (error) => resolve(String(error)));
      sent.end();
    });
  return { put, remove, ask };
}

const filter = (name: string, patches: string) => `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: ${name}, namespace: default }
spec:
  workloadSelector: { labels: { app: shop } }
  configPatches:
${patches}`;

const manager = "envoy.filters.network.http_connection_manager";
const beforeRouter = `
      match:
        context: SIDECAR_INBOUND
        listener: { filterChain: { filter: { name: ${manager}, subFilter: { name: envoy.filters.http.router } } } }`;

const limit = filter(
  "limit",
  `
    - applyTo: HTTP_FILTER${beforeRouter}
      patch:
        operation: INSERT_BEFORE
        value:
          name: envoy.filters.http.local_ratelimit
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
            stat_prefix: shop
            token_bucket: { max_tokens: 1, tokens_per_fill: 1, fill_interval: 3600s }
            filter_enabled: { default_value: { numerator: 100 } }
            filter_enforced: { default_value: { numerator: 100 } }`,
);

const settings = filter(
  "settings",
  `
    - applyTo: NETWORK_FILTER
      match: { context: SIDECAR_INBOUND, listener: { filterChain: { filter: { name: ${manager} } } } }
      patch:
        operation: MERGE
        value:
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            server_name: patched
    - applyTo: VIRTUAL_HOST
      match: { context: SIDECAR_INBOUND }
      patch: { operation: MERGE, value: { response_headers_to_add: [{ header: { key: x-inbound, value: told } }] } }
    - applyTo: HTTP_ROUTE
      match: { context: SIDECAR_INBOUND }
      patch:
        operation: INSERT_FIRST
        value: { name: teapot, match: { path: /teapot }, direct_response: { status: 418 } }`,
);

const proxies: { kind: string; start: StartProxy; missing: boolean }[] = [
  { kind: "Envoy", start: startEnvoy, missing: envoyMissing },
  { kind: "our sidecar", start: startSidecar, missing: false },
];

describe.each(proxies)("EnvoyFilters on $kind", ({ start, missing }) => {
  test.skipIf(missing)("settings, hosts and routes are changed live, and back again", async () => {
    const { put, remove, ask } = await setUp(start);
    await vi.waitFor(async () => expect(await ask()).toMatch(/^200 (?!patched)/), 15_000);
    await put(settings);
    await vi.waitFor(async () => expect(await ask()).toBe("200 patched - told"), 15_000);
    expect(await ask("/teapot")).toMatch(/^418 /);
    await remove("settings");
    await vi.waitFor(async () => expect(await ask("/teapot")).toMatch(/^200 (?!patched)/), 15_000);
  });

  test.skipIf(missing)("a filter is inserted, counts, and is taken out", async () => {
    const { put, remove, ask } = await setUp(start);
    await vi.waitFor(async () => expect(await ask()).toMatch(/^200/), 15_000);
    await put(limit);
    await vi.waitFor(async () => expect(await ask()).toMatch(/^429/), 15_000);
    await remove("limit");
    await vi.waitFor(async () => expect(await ask()).toMatch(/^200/), 15_000);
  });
});

test.skipIf(envoyMissing)("what only Envoy has passes through: Lua", async () => {
  const { put, ask } = await setUp(startEnvoy);
  await put(
    filter(
      "lua",
      `
    - applyTo: HTTP_FILTER${beforeRouter}
      patch:
        operation: INSERT_BEFORE
        value:
          name: envoy.filters.http.lua
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
            default_source_code:
              inline_string: function envoy_on_response(handle) handle:headers():add("x-lua", "yes") end`,
    ),
  );
  await vi.waitFor(async () => expect(await ask()).toMatch(/^200 \S+ yes/), 15_000);
});
