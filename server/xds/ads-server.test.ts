import { create, type DescService, type MessageInitShape } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { type ClientDuplexStream, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ProxyConfigDump, ProxySync } from "../contract/index.ts";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { ClusterDiscoveryService } from "../gen/proto/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { EndpointDiscoveryService } from "../gen/proto/envoy/service/endpoint/v3/eds_pb.js";
import { ExtensionConfigDiscoveryService } from "../gen/proto/envoy/service/extension/v3/config_discovery_pb.js";
import { ListenerDiscoveryService } from "../gen/proto/envoy/service/listener/v3/lds_pb.js";
import { RouteDiscoveryService, VirtualHostDiscoveryService } from "../gen/proto/envoy/service/route/v3/rds_pb.js";
import { RuntimeDiscoveryService, RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import {
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ConfigStatus,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { systemClock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer, type XdsServer } from "./ads-server.ts";
import { fetchProxyStatuses } from "./csds-client.ts";
import type { XdsLimits } from "./limits.ts";
import { RequestError } from "./request-error.ts";
import type { Session } from "./session.ts";
import { createSnapshot } from "./snapshot.ts";
import { testMessages } from "./testing/messages.ts";
import { TypeUrl } from "./types.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const messages = testMessages({ listenerPort: 1, upstreamPort: 2, services: 2, vhds: true });

async function serve(
  limits: Partial<XdsLimits> = {},
  publish: (session: Session) => void = (session) => session.publish(createSnapshot(1, messages)),
): Promise<{ target: string; server: XdsServer }> {
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    limits,
    events: {
      connected(session) {
        if (session.node.id === "unwanted") throw new RequestError("not you");
        publish(session);
      },
      disconnected: () => {},
    },
  });
  const port = await server.start();
  closers.push(() => server.stop(100));
  return { target: `127.0.0.1:${port}`, server };
}

/** One stream that collects what it gets. */
function deltaStream(target: string) {
  const client = makeClient(AggregatedDiscoveryService, target);
  closers.push(() => client.close());
  const stream = client.deltaAggregatedResources();
  const responses: DeltaDiscoveryResponse[] = [];
  const errors: ServiceError[] = [];
  stream.on("data", (response) => responses.push(response));
  stream.on("error", (error: ServiceError) => errors.push(error));
  closers.push(() => stream.cancel());
  const send = (init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) =>
    stream.write(create(DeltaDiscoveryRequestSchema, init));
  return { stream, responses, errors, send };
}

describe("streams that are ended", () => {
  const { cluster } = TypeUrl;
  test.each<[string, MessageInitShape<typeof DeltaDiscoveryRequestSchema>, string]>([
    ["without a node", { typeUrl: cluster }, "must carry node.id"],
    ["without a type", { node: { id: "a" } }, 'type_url "" is not served'],
    ["of an unwanted node", { node: { id: "unwanted" }, typeUrl: cluster }, "not you"],
    [
      "with too many names",
      { node: { id: "a" }, typeUrl: cluster, resourceNamesSubscribe: ["a", "b", "c", "d"] },
      "more than 3 resource names",
    ],
    ["with an id of a megabyte", { node: { id: "a".repeat(1 << 20) }, typeUrl: cluster }, "node.id has 1048576 bytes"],
    [
      "with a megabyte of metadata",
      { node: { id: "a", metadata: { x: "a".repeat(1 << 20) } }, typeUrl: cluster },
      "at most 262144 are taken",
    ],
    [
      "with names that are too long",
      { node: { id: "a" }, typeUrl: cluster, resourceNamesSubscribe: ["a".repeat(2_000)] },
      "more than 1000 bytes of resource names on one stream",
    ],
    [
      "that bring too much from before",
      { node: { id: "a" }, typeUrl: cluster, initialResourceVersions: { a: "v".repeat(2_000) } },
      "more than 1000 bytes of resource names on one stream",
    ],
  ])("%s", async (_, request, reason) => {
    const { target, server } = await serve({ namesPerRequest: 3, nameBytesPerStream: 1_000 });
    const { send, errors } = deltaStream(target);
    send(request);
    await vi.waitFor(() => expect(errors[0]).toMatchObject({ code: status.INVALID_ARGUMENT }));
    expect(errors[0]?.details).toContain(reason);
    await vi.waitFor(() => expect(server.sessions()).toEqual([]));
  });

  test("with ever more names in one request after the other", async () => {
    const { target, server } = await serve({ namesPerRequest: 30, namesPerStream: 100 });
    const { send, errors } = deltaStream(target);
    for (let i = 0; i < 10; i++) {
      const names = Array.from({ length: 30 }, (_, n) => `${i % 2}-${i}-${n}`);
      const typeUrl = i % 2 ? cluster : TypeUrl.endpoint;
      send({ ...(i === 0 && { node: { id: "a" } }), typeUrl, resourceNamesSubscribe: names });
    }
    await vi.waitFor(() => expect(errors[0]).toMatchObject({ code: status.INVALID_ARGUMENT }));
    expect(errors[0]?.details).toBe("more than 100 resource names on one stream");
    await vi.waitFor(() => expect(server.sessions()).toEqual([]));
  });

  test("silent, and beyond the limit", async () => {
    const { target } = await serve({ firstRequestMs: 200, sessions: 1 });
    const [first, second] = [deltaStream(target), deltaStream(target)];
    await vi.waitFor(() => expect([first, second].flatMap(({ errors }) => errors)).toHaveLength(2));
    const codes = [...first.errors, ...second.errors].map((error) => error.code);
    expect(codes.sort()).toEqual([status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED].sort());
  });

  test("by shutdown: UNAVAILABLE, at once", async () => {
    const { target, server } = await serve();
    const { send, errors, responses } = deltaStream(target);
    send({ node: { id: "a" }, typeUrl: cluster });
    await vi.waitFor(() => expect(responses).toHaveLength(1));
    await server.stop(500);
    await vi.waitFor(() => expect(errors[0]?.code).toBe(status.UNAVAILABLE));
  });
});

test("a client that reads but never answers holds up nobody, and gets one response per type", async () => {
  const { target, server } = await serve();
  const [mute, lively] = [deltaStream(target), deltaStream(target)];
  mute.send({ node: { id: "mute" }, typeUrl: TypeUrl.cluster });
  lively.send({ node: { id: "lively" }, typeUrl: TypeUrl.cluster });
  await vi.waitFor(() => expect([mute.responses.length, lively.responses.length]).toEqual([1, 1]));
  for (let revision = 2; revision < 20; revision++) {
    const services = testMessages({ listenerPort: 1, upstreamPort: 2, services: revision + 1, vhds: true });
    for (const session of server.sessions()) session.publish(createSnapshot(revision, services));
    lively.send({ typeUrl: TypeUrl.cluster, responseNonce: lively.responses.at(-1)?.nonce });
    await vi.waitFor(() => expect(lively.responses).toHaveLength(revision));
  }
  expect(mute.responses).toHaveLength(1);
});

test.each([
  ["everything", TypeUrl.cluster, [], 2],
  ["less than before", TypeUrl.cluster, ["s0"], 1],
  ["a wildcard beside names", TypeUrl.cluster, ["*", "s0"], 2],
  ["names", TypeUrl.endpoint, ["s0", "s1"], 2],
] as const)(
  "a stream's first request is answered, whatever version it comes with: %s",
  async (_, typeUrl, names, count) => {
    const { target } = await serve();
    const first = async (versionInfo: string, resourceNames: readonly string[]) => {
      const client = makeClient(AggregatedDiscoveryService, target);
      closers.push(() => client.close());
      const stream = client.streamAggregatedResources();
      stream.on("error", () => {});
      const response = new Promise<DiscoveryResponse>((resolve) => stream.once("data", resolve));
      stream.write(
        create(DiscoveryRequestSchema, { node: { id: "a" }, typeUrl, versionInfo, resourceNames: [...resourceNames] }),
      );
      const answer = await response;
      stream.cancel();
      return answer;
    };
    const all = typeUrl === TypeUrl.cluster ? [] : ["s0", "s1"];
    const { versionInfo } = await first("", all);
    expect(versionInfo).not.toBe("");
    expect((await first(versionInfo, names)).resources).toHaveLength(count);
  },
);

describe("a service per type", () => {
  test("endpoints, state of the world", async () => {
    const { target } = await serve();
    const client = makeClient(EndpointDiscoveryService, target);
    closers.push(() => client.close());
    const stream = client.streamEndpoints();
    stream.on("error", () => {});
    const response = new Promise<DiscoveryResponse>((resolve) => stream.once("data", resolve));
    stream.write(create(DiscoveryRequestSchema, { node: { id: "a" }, resourceNames: ["s1"] }));
    expect((await response).resources.map((any) => any.typeUrl)).toEqual([TypeUrl.endpoint]);
    const error = new Promise<ServiceError>((resolve) => stream.once("error", resolve));
    stream.write(create(DiscoveryRequestSchema, { typeUrl: TypeUrl.cluster }));
    expect((await error).code).toBe(status.INVALID_ARGUMENT);
  });

  test("virtual hosts, incremental", async () => {
    const { target } = await serve();
    const client = makeClient(VirtualHostDiscoveryService, target);
    closers.push(() => client.close());
    const stream = client.deltaVirtualHosts();
    stream.on("error", () => {});
    closers.push(() => stream.cancel());
    const response = new Promise<DeltaDiscoveryResponse>((resolve) => stream.once("data", resolve));
    stream.write(create(DeltaDiscoveryRequestSchema, { node: { id: "a" } }));
    expect((await response).resources.map(({ name }) => name)).toEqual(["http_proxy/s0", "http_proxy/s1"]);
  });
});

describe("CSDS", () => {
  const id = "sidecar~127.0.1.1~web-v1.shop~shop.svc.cluster.local";

  test("tells what was sent, acknowledged and refused, for one proxy or all", async () => {
    const { target } = await serve();
    const one = deltaStream(target);
    const other = deltaStream(target);
    other.send({ node: { id: "router~10.0.0.1~gate.infra~x" }, typeUrl: TypeUrl.listener });
    one.send({ node: { id, userAgentName: "envoy" }, typeUrl: TypeUrl.cluster });
    await vi.waitFor(() => expect(one.responses).toHaveLength(1));
    const read = async () => (await fetchProxyStatuses(target, { nodeId: id, contents: true }))[0];
    expect(await read()).toMatchObject({
      id,
      name: "web-v1",
      namespace: "shop",
      address: "127.0.1.1",
      app: "web-v1",
      version: "latest",
      kind: "sidecar",
      protocol: "delta",
      revision: 1,
      types: {
        // Since it was sent: there was nothing before.
        CDS: { state: "STALE", resources: 2, sinceMs: expect.any(Number), errors: [], subscribed: true },
        LDS: { state: "NOT_SENT", subscribed: false },
      },
    });
    one.send({
      typeUrl: TypeUrl.cluster,
      responseNonce: "1",
      errorDetail: { code: 3, message: "Error adding/updating cluster(s) s1: no" },
    });
    await vi.waitFor(async () => expect((await read())?.types.CDS).toMatchObject({ state: "ERROR", nacks: 1 }));
    const status = await read();
    expect(status?.types.CDS.errors).toEqual([
      { resource: "s1", detail: "no", origin: null, refusedAtMs: expect.any(Number), inForceSinceMs: null },
    ]);
    const [lean] = await fetchProxyStatuses(target, { nodeId: id, contents: { type: "CDS", name: "s0" } });
    expect(lean?.resources.filter(({ config }) => config !== null).map(({ name }) => name)).toEqual(["s0"]);
    expect(status?.resources.find(({ name, type }) => name === "s0" && type === "CDS")).toMatchObject({
      state: "SYNCED",
      error: null,
      updatedAt: expect.any(Number),
      config: { "@type": TypeUrl.cluster, name: "s0" },
    });
    expect(status?.resources.find(({ name, type }) => name === "s1" && type === "CDS")).toMatchObject({
      state: "ERROR",
      error: "no",
      config: null, // nothing is in force
      refusedConfig: { name: "s1" },
    });
    // As the dashboard's contract has it.
    expect(
      ProxySync.parse({ ...status, usage: null, connected: true, disconnectedAt: null, heldRevision: null }),
    ).toMatchObject({ id, types: { CDS: { state: "ERROR" } } });
    expect(ProxyConfigDump.parse({ ...status, at: 1 }).resources.length).toBe(status?.resources.length);
    const all = await fetchProxyStatuses(target, { contents: false });
    expect(all.map(({ kind }) => kind)).toEqual(["gateway", "sidecar"]);
    expect(all.flatMap(({ resources }) => resources).every(({ config }) => config === null)).toBe(true);
  });

  test("answers a stream, matches nodes, and says what it cannot match", async () => {
    const { target, server } = await serve();
    const proxy = deltaStream(target);
    proxy.send({ node: { id }, typeUrl: TypeUrl.cluster });
    await vi.waitFor(() => expect(server.sessions()).toHaveLength(1));
    const client = makeClient(ClientStatusDiscoveryService, target);
    closers.push(() => client.close());
    const stream = client.streamClientStatus();
    const answers: ClientStatusResponse[] = [];
    stream.on("data", (answer) => answers.push(answer));
    const error = new Promise<ServiceError>((resolve) => stream.once("error", resolve));
    const match = (matchPattern: { case: "prefix" | "contains"; value: string }, ignoreCase = false) =>
      stream.write(create(ClientStatusRequestSchema, { nodeMatchers: [{ nodeId: { matchPattern, ignoreCase } }] }));
    match({ case: "prefix", value: "sidecar~" });
    match({ case: "prefix", value: "router~" });
    match({ case: "contains", value: "WEB-V1" }, true);
    await vi.waitFor(() => expect(answers.map(({ config }) => config.length)).toEqual([1, 0, 1]));
    expect(answers[0]?.config[0]?.genericXdsConfigs[0]).toMatchObject({
      typeUrl: TypeUrl.cluster,
      name: "s0",
      configStatus: ConfigStatus.STALE,
    });
    stream.write(create(ClientStatusRequestSchema, { nodeMatchers: [{ nodeMetadatas: [{ value: {} }] }] }));
    expect((await error).code).toBe(status.UNIMPLEMENTED);
  });

  test("a fetch without an answer fails in time", async () => {
    await expect(fetchProxyStatuses("127.0.0.1:1", { contents: false, timeoutMs: 300 })).rejects.toMatchObject({
      code: expect.any(Number),
    });
  });
});

describe("every type's own service", () => {
  const services: [string, TypeUrl, DescService, string[]][] = [
    ["LDS", TypeUrl.listener, ListenerDiscoveryService, []],
    ["RDS", TypeUrl.route, RouteDiscoveryService, ["http_proxy"]],
    ["CDS", TypeUrl.cluster, ClusterDiscoveryService, []],
    ["EDS", TypeUrl.endpoint, EndpointDiscoveryService, ["s0", "s1"]],
    ["SDS", TypeUrl.secret, SecretDiscoveryService, ["default"]],
    ["RTDS", TypeUrl.runtime, RuntimeDiscoveryService, ["layer"]],
    ["ECDS", TypeUrl.extensionConfig, ExtensionConfigDiscoveryService, ["filter"]],
  ];

  const named = {
    ...messages,
    runtimes: new Map([["layer", create(RuntimeSchema, { name: "layer" })]]),
    extensionConfigs: new Map([["filter", create(TypedExtensionConfigSchema, { name: "filter" })]]),
  };
  const secrets = new Map([["default", create(SecretSchema, { name: "default" })]]);

  /** The one method of the service that is of this kind, with types that all services share. */
  const method = (client: object, service: DescService, prefix: string) => {
    const { localName = "" } = service.methods.find(({ localName }) => localName.startsWith(prefix)) ?? {};
    return (client as Record<string, (...args: unknown[]) => unknown>)[localName]?.bind(client);
  };
  const ask = (client: object, service: DescService, prefix: string, request: object) =>
    new Promise<DiscoveryResponse | DeltaDiscoveryResponse>((resolve, reject) => {
      if (prefix === "fetch") {
        method(client, service, prefix)?.(request, new Metadata(), {}, (error: unknown, answer: DiscoveryResponse) =>
          error ? reject(error) : resolve(answer),
        );
        return;
      }
      const stream = method(client, service, prefix)?.() as ClientDuplexStream<object, DiscoveryResponse>;
      closers.push(() => stream.cancel());
      stream.on("error", reject);
      stream.once("data", resolve);
      stream.write(request);
    });

  test.each(services)("%s: incremental, state of the world, and one answer", async (_, typeUrl, service, names) => {
    const { target, server } = await serve({}, (session) => session.publish(createSnapshot(1, named, secrets)));
    const client = makeClient(service as GenService<GenServiceMethods>, target);
    closers.push(() => client.close());
    const node = { id: "a" };
    const whole = create(DiscoveryRequestSchema, { node, resourceNames: names });
    const changes = create(DeltaDiscoveryRequestSchema, { node, resourceNamesSubscribe: names });
    const count = createSnapshot(1, named, secrets).resources.get(typeUrl)?.size ?? 0;
    for (const [prefix, request] of [
      ["delta", changes],
      ["stream", whole],
      ["fetch", whole],
    ] as const) {
      const answer = await ask(client, service, prefix, request);
      expect([prefix, answer.typeUrl, answer.resources.length]).toEqual([prefix, typeUrl, count]);
    }
    // What was fetched leaves nothing behind.
    expect(server.sessions()).toHaveLength(2);
  });

  test("one answer needs a node, of its own type, and something to say", async () => {
    const { target } = await serve({ firstRequestMs: 100 }, () => undefined);
    const client = makeClient(EndpointDiscoveryService, target);
    closers.push(() => client.close());
    const fetch = (init: MessageInitShape<typeof DiscoveryRequestSchema>) =>
      ask(client, EndpointDiscoveryService, "fetch", create(DiscoveryRequestSchema, init));
    await expect(fetch({})).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(fetch({ node: { id: "a" }, typeUrl: TypeUrl.cluster })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await expect(fetch({ node: { id: "a" } })).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

test("what is no discovery request ends its stream with the reason", async () => {
  const { target } = await serve();
  const client = makeClient(AggregatedDiscoveryService, target);
  closers.push(() => client.close());
  const stream = client.makeBidiStreamRequest(
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  );
  const error = new Promise<ServiceError>((resolve) => stream.once("error", resolve));
  stream.write(Buffer.from([0x0a, 0xff, 0xff, 0xff]));
  expect(await error).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining("can't be read"),
  });
});
