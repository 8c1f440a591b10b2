import { request } from "node:http";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import {
  RateLimitResponse_Code as Code,
  RateLimitRequestSchema,
  type RateLimitResponse,
  RateLimitService,
  RateLimitResponse_RateLimit_Unit as Unit,
} from "../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { envoyMissing, freePort, startEnvoy } from "../xds/testing/envoy.ts";
import { createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const config = (limit: string) => `
apiVersion: limpid.dev/v1alpha1
kind: RateLimitConfig
metadata: { name: shop, namespace: default }
spec:
  domain: shop
  descriptors:
  - { key: generic_key, value: everything, rate_limit: ${limit} }
`;

async function startPlane(yaml: string) {
  const clock = new FakeClock();
  clock.time = Date.parse("2026-01-01T00:00:10Z");
  const store = new MemoryConfigStore();
  const put = async (text: string) => {
    const parsed = parseDocuments(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
    clock.advance(500); // past the debounce
  };
  await put(yaml);
  const plane = createControlPlane({ store, xdsPort: 0, clock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  return { plane, put, port: plane.addresses().xds };
}

test("a gRPC client is told code, limit, what remains and until when; a changed config is in force at once", async () => {
  const { plane, put, port } = await startPlane(config("{ name: all, unit: minute, requests_per_unit: 2 }"));
  const client = makeClient(RateLimitService, `127.0.0.1:${port}`);
  closers.push(() => client.close());
  const ask = (init: MessageInitShape<typeof RateLimitRequestSchema> = {}) =>
    new Promise<RateLimitResponse>((resolve, reject) => {
      const descriptors = [{ entries: [{ key: "generic_key", value: "everything" }] }];
      const asked = create(RateLimitRequestSchema, { domain: "shop", descriptors, ...init });
      client.shouldRateLimit(asked, new Metadata(), {}, (error, answer) => (answer ? resolve(answer) : reject(error)));
    });
  expect(await ask()).toMatchObject({
    overallCode: Code.OK,
    statuses: [
      {
        code: Code.OK,
        limitRemaining: 1,
        currentLimit: { name: "all", unit: Unit.MINUTE, requestsPerUnit: 2 },
        durationUntilReset: { seconds: 50n },
      },
    ],
  });
  expect(await ask({ hitsAddend: 5 })).toMatchObject({ overallCode: Code.OVER_LIMIT });
  expect(plane.rateLimits()).toMatchObject([{ descriptor: "generic_key=everything", count: 6 }]);
  await put(config("{ unit: minute, requests_per_unit: 100 }"));
  await vi.waitFor(async () => expect((await ask()).overallCode).toBe(Code.OK));
  await expect(ask({ domain: "" })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  await expect(ask({ descriptors: [] })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test.skipIf(envoyMissing)("Envoy's filter refuses what is over, and tells so in X-RateLimit headers", async () => {
  const { port } = await startPlane(config("{ unit: hour, requests_per_unit: 3 }"));
  const listenerPort = await freePort();
  const filter = (name: string, type: string, rest: object = {}) => ({
    name,
    typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.${type}`, ...rest },
  });
  const envoy = await startEnvoy({
    // It takes nothing from us but limits: what is discovered has no place in this test.
    id: "sidecar~127.0.0.1~e.default~x",
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(await freePort()) },
    staticClusters: ["limpid-collector"],
    xdsPort: port,
    api: "DELTA_GRPC",
    staticListeners: [
      {
        name: "limited",
        address: { socket_address: { address: "127.0.0.1", port_value: listenerPort } },
        filter_chains: [
          {
            filters: [
              filter("hcm", "network.http_connection_manager.v3.HttpConnectionManager", {
                stat_prefix: "limited",
                route_config: {
                  virtual_hosts: [
                    {
                      name: "all",
                      domains: ["*"],
                      rate_limits: [{ actions: [{ generic_key: { descriptor_value: "everything" } }] }],
                      routes: [{ match: { prefix: "/" }, route: { cluster: "limpid-collector" } }],
                    },
                  ],
                },
                http_filters: [
                  filter("limits", "http.ratelimit.v3.RateLimit", {
                    domain: "shop",
                    failure_mode_deny: true,
                    timeout: "2s",
                    enable_x_ratelimit_headers: "DRAFT_VERSION_03",
                    rate_limit_service: {
                      transport_api_version: "V3",
                      grpc_service: { envoy_grpc: { cluster_name: "xds-grpc" } },
                    },
                  }),
                  filter("router", "http.router.v3.Router"),
                ],
              }),
            ],
          },
        ],
      },
    ],
  });
  closers.push(() => envoy.stop());
  const ask = () =>
    new Promise<string>((resolve) => {
      const sent = request({ port: listenerPort, host: "127.0.0.1", agent: false }, (answer) => {
        answer.resume();
        resolve(`${answer.statusCode} ${answer.headers["x-ratelimit-remaining"]}`);
      });
      sent.on("error", (error) => resolve(String(error)));
      sent.end();
    });
  // Nobody is behind the route: 503 is what was let through.
  await vi.waitFor(async () => expect(await ask()).toBe("503 2"), { timeout: 15_000, interval: 50 });
  expect([await ask(), await ask(), await ask()]).toEqual(["503 1", "503 0", "429 0"]);
});
