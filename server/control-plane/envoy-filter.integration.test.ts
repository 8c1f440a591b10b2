import { afterEach, describe, expect, test, vi } from "vitest";
import { envoyMissing, startEnvoy } from "../xds/testing/envoy.ts";
import { call } from "./testing/scenario.ts";
import { type StartProxy, shopProxies, startShop } from "./testing/shop.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A service with its proxy before it, and somebody who asks it. */
async function setUp(start: StartProxy) {
  const { port, put, store } = await startShop(start, closers);
  const remove = (name: string) =>
    store.commit([{ op: "delete", key: { kind: "EnvoyFilter", namespace: "default", name } }], "test");
  const ask = async (path = "/") => {
    const { status, headers } = await call(port, { path });
    return [status, ...["server", "x-lua", "x-inbound"].map((name) => headers[name] ?? "-")].join(" ");
  };
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

describe.each(shopProxies)("EnvoyFilters on $kind", ({ start, missing }) => {
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
