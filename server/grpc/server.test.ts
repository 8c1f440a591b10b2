import { type EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { type Client, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Health, HealthCheckRequestSchema } from "../gen/proto/grpc/health/v1/health_pb.js";
import { systemClock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { addHealth } from "./health.ts";
import { GrpcServer } from "./server.ts";

let server: GrpcServer;
let port: number;
let sockets: Socket[];
let clients: Client[];

beforeEach(async () => {
  sockets = [];
  clients = [];
  const limits = { maxMessageBytes: 1 << 20, maxStreamsPerConnection: 16, maxConnections: 4, firstMessageMs: 200 };
  server = new GrpcServer(limits, systemClock);
  addHealth(server, [], true);
  port = await server.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const socket of sockets) socket.destroy();
  await server.stop(0);
});

async function idle(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
    .on("error", () => undefined)
    .resume();
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

function client() {
  const made = makeClient(Health, `127.0.0.1:${port}`, { "grpc.use_local_subchannel_pool": 1 });
  clients.push(made);
  return made;
}

const check = (of = client()) =>
  new Promise<boolean>((resolve) =>
    of.check(create(HealthCheckRequestSchema), new Metadata(), {}, (error) => resolve(error === null)),
  );

/** A call that stays open, on a connection of its own. */
async function watch() {
  const call = client().watch(create(HealthCheckRequestSchema));
  call.on("error", () => {});
  await once(call, "data");
  return call;
}

const endOf = (call: EventEmitter): Promise<status> =>
  new Promise((resolve) => call.once("status", ({ code }: StatusObject) => resolve(code)));

it("connections that only stand there lock nobody out, and the idlest go first", async () => {
  const standing: Socket[] = [];
  for (let i = 0; i < 10; i++) standing.push(await idle());
  expect(await check()).toBe(true);
  await vi.waitFor(() => expect(standing.slice(0, 7).every((socket) => socket.closed)).toBe(true));
});

it("one that has a call open keeps its place, and gives it back with the call", async () => {
  const calls = [await watch(), await watch(), await watch(), await watch()];
  const late = await idle();
  await once(late, "close");
  let ended = 0;
  for (const call of calls) call.on("end", () => ended++);
  expect(ended).toBe(0);
  calls[0]?.cancel();
  await vi.waitFor(async () => expect(await check()).toBe(true), { timeout: 10_000 });
});

it("a call that says nothing is no work: it is ended", async () => {
  const asIs = (bytes: Buffer) => bytes;
  const call = client().makeClientStreamRequest("/grpc.health.v1.Health/Check", asIs, asIs, () => {});
  call.on("error", () => {});
  expect(await endOf(call)).toBe(status.DEADLINE_EXCEEDED);
});

it("a client that gives no sign of life any more is noticed, one that does stays", async () => {
  const limits = { maxMessageBytes: 1 << 20, maxStreamsPerConnection: 16, maxConnections: 4, firstMessageMs: 10_000 };
  const other = new GrpcServer({ ...limits, keepalive: { everyMs: 100, timeoutMs: 100 } }, systemClock);
  addHealth(other, [], true);
  const keenPort = await other.listen({ host: "127.0.0.1", port: 0 });
  try {
    const alive = makeClient(Health, `127.0.0.1:${keenPort}`, { "grpc.use_local_subchannel_pool": 1 });
    clients.push(alive);
    const call = alive.watch(create(HealthCheckRequestSchema));
    let ended = false;
    call.on("error", () => {});
    call.on("end", () => {
      ended = true;
    });
    await once(call, "data");
    // Speaks HTTP/2 once, and never answers a PING.
    const dead = connect(keenPort, "127.0.0.1").on("error", () => undefined);
    sockets.push(dead.resume());
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    dead.write(Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]));
    await once(dead, "close");
    expect(ended).toBe(false);
  } finally {
    await other.stop(0);
  }
});

it("its end waits for calls, and then ends them", async () => {
  const call = await watch();
  const end = endOf(call);
  let stopped = false;
  const stopping = server.stop(300).then(() => {
    stopped = true;
  });
  await idle().catch(() => {});
  expect(stopped).toBe(false);
  await stopping;
  expect(await end).toBe(status.CANCELLED);
});

it("a port that is taken is told by the system's error", async () => {
  await expect(server.listen({ host: "127.0.0.1", port })).rejects.toThrow("EADDRINUSE");
});
