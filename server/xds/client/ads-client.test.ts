import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { AggregatedDiscoveryService } from "../../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { addService, type DuplexCall } from "../../lib/grpc.ts";
import { silentLogger } from "../../lib/logger.ts";
import { TypeUrl } from "../types.ts";
import { type AdsClient, createAdsClient } from "./ads-client.ts";

type Stream = DuplexCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** A control plane that records what it is asked and says what the test tells it. */
async function scriptedServer(port = 0) {
  const requests: DeltaDiscoveryRequest[] = [];
  const streams: Stream[] = [];
  const server = new Server();
  addService(server, AggregatedDiscoveryService, {
    deltaAggregatedResources(call) {
      streams.push(call);
      call.on("data", (request) => requests.push(request));
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  );
  closers.push(() => server.forceShutdown());
  return { port: bound, requests, streams, kill: () => server.forceShutdown() };
}

/** The real clock, with its timers counted. */
const pendingTimers = new Set<object>();
const countedClock: Clock = {
  now: systemClock.now,
  setTimeout(callback, ms) {
    const timer = systemClock.setTimeout(() => {
      pendingTimers.delete(timer);
      callback();
    }, ms);
    pendingTimers.add(timer);
    return {
      cancel() {
        pendingTimers.delete(timer);
        timer.cancel();
      },
    };
  },
};

interface ClientParts {
  ads: AdsClient;
  applied: string[];
  states: string[];
  /** What it logged at level debug. */
  debugged: unknown[];
}

function client(port: number): ClientParts {
  const debugged: unknown[] = [];
  const applied: string[] = [];
  const states: string[] = [];
  const ads = createAdsClient({
    target: `127.0.0.1:${port}`,
    node: create(NodeSchema, { id: "sidecar~1" }),
    logger: { ...silentLogger, isLevelEnabled: () => true, debug: (fields: unknown) => void debugged.push(fields) },
    clock: countedClock,
    backoff: { baseMs: 10, maxMs: 50 },
    onConnection: ({ state }) => states.push(state),
    handlers: {
      [TypeUrl.cluster]: {
        apply({ added }) {
          applied.push(...added.map((resource) => `${resource.name}@${resource.version}`));
          return new Map();
        },
      },
    },
  });
  closers.push(() => ads.stop());
  return { ads, applied, states, debugged };
}

test("applies, acknowledges, and resumes on a control plane that came back", { timeout: 20_000 }, async () => {
  const first = await scriptedServer();
  const { ads, applied, states, debugged } = client(first.port);
  ads.subscribe(TypeUrl.cluster, "*");
  ads.start();
  await vi.waitFor(() => expect(first.requests).toHaveLength(1));
  expect(first.requests[0]?.node?.id).toBe("sidecar~1");
  first.streams[0]?.write(
    create(DeltaDiscoveryResponseSchema, {
      typeUrl: TypeUrl.cluster,
      nonce: "1",
      resources: [{ name: "a", version: "v1", resource: { typeUrl: TypeUrl.cluster } }],
    }),
  );
  await vi.waitFor(() => expect(first.requests[1]?.responseNonce).toBe("1"));
  expect(applied).toEqual(["a@v1"]);
  expect(debugged).toEqual([{ typeUrl: TypeUrl.cluster, resources: 1, names: ["a"] }]);

  first.kill();
  await vi.waitFor(() => expect(states).toContain("disconnected"));
  const second = await scriptedServer(first.port);
  await vi.waitFor(() => expect(second.requests).toHaveLength(1), { timeout: 15_000 });
  expect(second.requests[0]?.initialResourceVersions).toEqual({ a: "v1" });
  expect(second.requests[0]?.node?.id).toBe("sidecar~1");
  expect(states.slice(0, 3)).toEqual(["connecting", "connected", "disconnected"]);
});

test("keeps trying while there is no control plane, and stops when told", { timeout: 20_000 }, async () => {
  const { ads, states } = client(1);
  ads.subscribe(TypeUrl.cluster, "*");
  ads.start();
  await vi.waitFor(() => expect(states.filter((state) => state === "disconnected").length).toBeGreaterThan(2));
  ads.stop();
  expect(pendingTimers.size).toBe(0);
});
