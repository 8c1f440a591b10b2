import {
  type Client,
  credentials,
  Metadata,
  makeClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** One method, text in and out. */
const echo = {
  say: {
    path: "/test.Echo/Say",
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  },
};

async function application(version: string): Promise<number> {
  const server = new Server();
  server.addService(echo, {
    say: (_: unknown, callback: (error: null, answer: string) => void) => callback(null, version),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  closers.push(() => server.forceShutdown());
  return port;
}

const mesh = (v1: number, v2: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo.default.svc.cluster.local]
  ports: [{ name: grpc, number: 7070, protocol: GRPC }]
  resolution: STATIC
  endpoints:
  - { address: 127.0.0.1, ports: { grpc: ${v1} }, labels: { version: v1 } }
  - { address: 127.0.0.1, ports: { grpc: ${v2} }, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec:
  host: echo.default.svc.cluster.local
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;

const rule = (http: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo, namespace: default }
spec: { hosts: [echo.default.svc.cluster.local], http: ${http} }
`;

const to = (subset: string, weight = 100) =>
  `{ destination: { host: echo.default.svc.cluster.local, subset: ${subset} }, weight: ${weight} }`;

/** grpc-js' own xDS client, which nobody here wrote. */
test("a gRPC application without a proxy follows routes, weights and faults", async () => {
  const store = new MemoryConfigStore();
  const put = async (text: string) => {
    const parsed = parseDocuments(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  };
  await put(mesh(await application("v1"), await application("v2")));
  await put(rule(`[{ route: [${to("v1")}] }]`));
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger });
  await plane.start();
  closers.push(() => plane.stop());
  const { xds } = plane.addresses();
  const id = "sidecar~127.0.0.1~caller-v1.default~default.svc.cluster.local";
  const bootstrap = {
    xds_servers: [
      { server_uri: `127.0.0.1:${xds}`, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] },
    ],
    authorities: {},
    certificate_providers: {},
    node: { id, cluster: "caller", locality: {}, metadata: { GENERATOR: "grpc" } },
  };
  // By the channel, and not by the environment: the variable is read once for the whole process.
  const options = { "grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config": JSON.stringify(bootstrap) };
  const { register } = await import("@grpc/grpc-js-xds");
  register();
  const Caller = makeClientConstructor(echo, "Echo");
  const client = new Caller(
    "xds:///echo.default.svc.cluster.local:7070",
    credentials.createInsecure(),
    options,
  ) as unknown as Client & {
    say(
      text: string,
      metadata: Metadata,
      options: object,
      done: (error: ServiceError | null, answer?: string) => void,
    ): void;
  };
  closers.push(() => client.close());
  const ask = (headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      client.say("hello", metadata, { deadline: Date.now() + 5_000 }, (error, answer) =>
        resolve(error ? (status[error.code] ?? "") : (answer ?? "")),
      );
    });
  const patience = { timeout: 15_000, interval: 50 };
  await vi.waitFor(async () => expect(await ask()).toBe("v1"), patience);

  await put(
    rule(`[{ match: [{ headers: { user: { exact: tester } } }], route: [${to("v2")}] }, { route: [${to("v1")}] }]`),
  );
  await vi.waitFor(async () => expect(await ask({ user: "tester" })).toBe("v2"), patience);
  expect(await ask()).toBe("v1");

  await put(rule(`[{ route: [${to("v1", 50)}, ${to("v2", 50)}] }]`));
  await vi.waitFor(async () => {
    const answers = new Set(await Promise.all(Array.from({ length: 40 }, () => ask())));
    expect([...answers].sort()).toEqual(["v1", "v2"]);
  }, patience);

  const fault = "fault: { abort: { grpcStatus: RESOURCE_EXHAUSTED, percentage: { value: 100 } } }";
  await put(rule(`[{ ${fault}, route: [${to("v1")}] }]`));
  await vi.waitFor(async () => expect(await ask()).toBe("RESOURCE_EXHAUSTED"), patience);

  const [seen] = await fetchProxyStatuses(`127.0.0.1:${xds}`, { contents: false });
  expect(seen).toMatchObject({
    name: "caller-v1",
    implementation: expect.stringMatching(/^gRPC Node/),
    protocol: "sotw",
  });
  expect(Object.values(seen?.types ?? {}).map(({ state }) => state)).not.toContain("ERROR");
}, 90_000);
