import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AggregatedDiscoveryService } from "../../server/gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { addService } from "../../server/lib/grpc.ts";
import { Link } from "./link.ts";

let server: Server;
let target: string;
let live: number;
/** Told of each stream that comes, in place of keeping it. */
let onStream: ((end: (code: status) => void) => void) | undefined;

beforeEach(async () => {
  live = 0;
  server = new Server();
  addService(server, AggregatedDiscoveryService, {
    deltaAggregatedResources(call) {
      live++;
      let counted = true;
      const gone = () => {
        if (counted) live--;
        counted = false;
      };
      call.on("cancelled", gone).on("end", gone).resume();
      onStream?.((code) => {
        gone();
        if (code === status.OK) call.end();
        else call.emit("error", { code, details: "over" });
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  target = `127.0.0.1:${port}`;
});
afterEach(() => server.forceShutdown());

const state = {
  held: () => new Map(),
  open: () => [],
  close() {},
  subscribe: () => [],
  unsubscribe: () => [],
  receive: () => [],
  expire: () => undefined,
};
const retryMs = 5;
const link = () =>
  new Link({ target, service: AggregatedDiscoveryService, protocol: "delta", state, retryMs: () => retryMs });
const streamCame = () =>
  new Promise<(code: status) => void>((resolve) => {
    onStream = (end) => {
      onStream = undefined;
      resolve(end);
    };
  });

it("has one stream, whoever opens it while it waits to be opened again", async () => {
  const client = link();
  const first = streamCame();
  client.open();
  const end = await first;
  const second = streamCame();
  end(status.UNAVAILABLE);
  await expect.poll(() => client.isOpen, { interval: 1 }).toBe(false);
  client.open();
  await second;
  // A timer that was armed before this one, for as long, has run by then.
  await new Promise((done) => setTimeout(done, retryMs));
  expect(client.lives).toBe(2);
  const third = streamCame();
  client.open();
  await third;
  await expect.poll(() => live).toBe(1);
  client.vanish();
  await expect.poll(() => live).toBe(0);
});

it("comes again after a server ended its stream without an error", async () => {
  const client = link();
  const first = streamCame();
  client.open();
  const end = await first;
  const second = streamCame();
  end(status.OK);
  await second;
  await expect.poll(() => live).toBe(1);
  client.vanish();
});
