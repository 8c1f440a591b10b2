import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test, vi } from "vitest";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { registry } from "../proto/registry.ts";
import { createXdsServer, type XdsServer } from "./ads-server.ts";
import { createSnapshot, type SnapshotMessages } from "./snapshot.ts";
import { type Envoy, envoyMissing, freePort, startEnvoy } from "./testing/envoy.ts";
import { testListener, testMessages } from "./testing/messages.ts";
import { TypeUrl } from "./types.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Proxy {
  name: string;
  api: "GRPC" | "DELTA_GRPC";
  /** Default: the real Envoy. */
  command?: readonly string[];
}

const bundled = [process.execPath, join(import.meta.dirname, "../cli/main.ts"), "sidecar"];
const proxies: Proxy[] = [
  ...(["GRPC", "DELTA_GRPC"] as const).map((api) => ({ name: `Envoy, ${api}`, api })),
  { name: "the bundled sidecar", api: "DELTA_GRPC", command: bundled },
];

async function setUp(
  { api, command }: Proxy,
  change: Partial<SnapshotMessages>,
  rtdsLayer?: string,
  clientFeatures?: string[],
) {
  const application = createServer((_, response) => response.end("hello"));
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const listenerPort = await freePort();
  const upstreamPort = (application.address() as AddressInfo).port;
  const plane = {
    messages: { ...testMessages({ listenerPort, upstreamPort, services: 1, vhds: api === "DELTA_GRPC" }), ...change },
    revision: 1,
  };
  const server: XdsServer = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    events: {
      connected: (session) => session.publish(createSnapshot(plane.revision, plane.messages)),
      disconnected: () => undefined,
    },
  });
  const xdsPort = await server.start();
  closers.push(() => server.stop(200));
  const envoy = await startEnvoy({
    id: "sidecar~127.0.0.1~e.default~x",
    xdsPort,
    api,
    rtdsLayer,
    ...(clientFeatures && { clientFeatures }),
    ...(command && { command }),
  });
  closers.push(() => envoy.stop());
  const publish = (more: Partial<SnapshotMessages>) => {
    plane.messages = { ...plane.messages, ...more };
    plane.revision += 1;
    for (const session of server.sessions()) session.publish(createSnapshot(plane.revision, plane.messages));
  };
  return { envoy, publish, stop: () => server.stop(0), sessions: () => server.sessions() };
}

const live = (envoy: Envoy) => vi.waitFor(async () => expect(await envoy.admin("/ready")).toContain("LIVE"), 30_000);

/** Takes some requests for s0 to a status of its own, as many as the runtime says. */
const sampled = () =>
  new Map([
    [
      "http_proxy/s0",
      fromJson(
        VirtualHostSchema,
        {
          name: "s0",
          domains: ["s0"],
          routes: [
            {
              match: { prefix: "/", runtime_fraction: { default_value: { numerator: 0 }, runtime_key: "teapots" } },
              direct_response: { status: 418 },
            },
            { match: { prefix: "/" }, direct_response: { status: 204 } },
          ],
        },
        { registry },
      ),
    ],
  ]);

const layer = (name: string, values: Record<string, JsonValue>) =>
  new Map([[name, create(RuntimeSchema, { name, layer: values as never })]]);

describe.each(proxies)("runtime layers, $name", (proxy) => {
  const missing = proxy.command === undefined && envoyMissing;
  test.skipIf(missing)("are in force at the start, and when they change", async () => {
    const { envoy, publish } = await setUp(proxy, { runtimes: layer("mesh", { "a.key": 7 }) }, "mesh");
    await live(envoy);
    const value = async () => {
      const { entries } = JSON.parse(await envoy.admin("/runtime")) as {
        entries: Record<string, { final_value: string }>;
      };
      return entries["a.key"]?.final_value;
    };
    expect(await value()).toBe("7");
    publish({ runtimes: layer("mesh", { "a.key": 8 }) });
    await vi.waitFor(async () => expect(await value()).toBe("8"), 5_000);
  });

  test.skipIf(missing)("that have a time stay as long as they are told of, and no longer", async () => {
    const runtimes = { runtimes: layer("mesh", { "a.key": 7 }), runtimeTtls: new Map([["mesh", 1_500]]) };
    const { envoy, stop, sessions } = await setUp(proxy, runtimes, "mesh", ["xds.config.supports-resource-ttl"]);
    await live(envoy);
    const value = async () => {
      const { entries } = JSON.parse(await envoy.admin("/runtime")) as {
        entries: Record<string, { final_value: string }>;
      };
      return entries["a.key"]?.final_value ?? "none";
    };
    const nonces = new Set<number | undefined>();
    // More heartbeats than fit into its time: it would be gone by now.
    await vi.waitFor(
      async () => {
        nonces.add(sessions()[0]?.sentAt.get(TypeUrl.runtime));
        expect(nonces.size).toBeGreaterThan(8);
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(await value()).toBe("7");
    expect(sessions()[0]?.nacks.get(TypeUrl.runtime)).toBeUndefined();
    await stop();
    await vi.waitFor(async () => expect(await value()).toBe("none"), 20_000);
  });

  // VHDS is of the incremental protocol.
  test.skipIf(missing || proxy.api === "GRPC")("take a share of requests, with no new route", async () => {
    const listenerPort = await freePort();
    const listeners = new Map([["outbound", testListener("outbound", listenerPort, "http_proxy")]]);
    const change = { listeners, virtualHosts: sampled(), runtimes: layer("mesh", { teapots: 100 }) };
    const { envoy, publish } = await setUp(proxy, change, "mesh");
    await live(envoy);
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toMatch(/^418/), 10_000);
    publish({ runtimes: layer("mesh", { teapots: 0 }) });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toMatch(/^204/), 10_000);
    publish({ runtimes: layer("mesh", { teapots: { numerator: 1_000_000, denominator: "MILLION" } }) });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toMatch(/^418/), 10_000);
  });

  test.skipIf(missing)("that do not exist hold up no start", async () => {
    const { envoy } = await setUp(proxy, {}, "nobody's");
    await live(envoy);
  });
});

/** A listener whose first filter is discovered. */
const discovering = (name: string, port: number) =>
  fromJson(
    ListenerSchema,
    {
      name,
      address: { socket_address: { address: "127.0.0.1", port_value: port } },
      filter_chains: [
        {
          filters: [
            {
              name: "hcm",
              typed_config: {
                "@type":
                  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                stat_prefix: name,
                rds: { config_source: { ads: {}, resource_api_version: "V3" }, route_config_name: "http_proxy" },
                http_filters: [
                  {
                    name: "swapped",
                    config_discovery: {
                      config_source: { ads: {}, resource_api_version: "V3" },
                      type_urls: [headerMutation],
                    },
                  },
                  {
                    name: "router",
                    typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                  },
                ],
              },
            },
          ],
        },
      ],
    },
    { registry },
  );

const headerMutation = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";

const adding = (value: string) =>
  new Map([
    [
      "swapped",
      fromJson(
        TypedExtensionConfigSchema,
        {
          name: "swapped",
          typed_config: {
            "@type": headerMutation,
            mutations: { response_mutations: [{ append: { header: { key: "x-swapped", value } } }] },
          },
        },
        { registry },
      ),
    ],
  ]);

/** Status and header of an answer; notes the socket that it came by. */
function swapped(port: number, agent: Agent | false = false, sockets = new Set<unknown>()): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ port, host: "127.0.0.1", headers: { host: "s0" }, agent }, (response) => {
      sockets.add(response.socket);
      response.resume();
      resolve(`${response.statusCode} ${response.headers["x-swapped"]}`);
    });
    sent.on("error", (error) => resolve(String(error)));
    sent.end();
  });
}

describe.each(proxies)("discovered filters, $name", (proxy) => {
  const missing = proxy.command === undefined && envoyMissing;
  test.skipIf(missing)("are delivered, and swapped while the listener stays", async () => {
    const listenerPort = await freePort();
    const listeners = new Map([["outbound", discovering("outbound", listenerPort)]]);
    const { publish } = await setUp(proxy, { listeners, extensionConfigs: adding("one") });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toBe("200 one"), 10_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closers.push(() => agent.destroy());
    const sockets = new Set<unknown>();
    expect(await swapped(listenerPort, agent, sockets)).toBe("200 one");
    publish({ extensionConfigs: adding("two") });
    await vi.waitFor(async () => expect(await swapped(listenerPort, agent, sockets)).toBe("200 two"), 10_000);
    expect(sockets.size).toBe(1);
  });

  // On the state-of-the-world protocol nothing says that it is gone.
  test.skipIf(missing || proxy.api === "GRPC")("that are gone are answered for, until they come again", async () => {
    const listenerPort = await freePort();
    const listeners = new Map([["outbound", discovering("outbound", listenerPort)]]);
    const { envoy, publish } = await setUp(proxy, { listeners, extensionConfigs: adding("one") });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toBe("200 one"), 20_000);
    const { configs } = JSON.parse(await envoy.admin("/config_dump?resource=ecds_filters"));
    expect(configs[0].ecds_filter).toMatchObject({ name: "swapped", typed_config: { "@type": headerMutation } });
    publish({ extensionConfigs: new Map() });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toBe("500 undefined"), 10_000);
    publish({ extensionConfigs: adding("two") });
    await vi.waitFor(async () => expect(await swapped(listenerPort)).toBe("200 two"), 10_000);
  });
});
