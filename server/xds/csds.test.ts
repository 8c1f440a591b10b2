import { type ClientHttp2Session, connect } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ClientStatusDiscoveryService } from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { GrpcServer } from "../grpc/server.ts";
import { systemClock } from "../lib/clock.ts";
import { registerCsds } from "./csds.ts";
import { Session } from "./session.ts";
import { createSnapshot } from "./snapshot.ts";
import { testMessages } from "./testing/messages.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** A proxy with a configuration of some hundred kilobytes. */
function largeSession(): Session {
  const session: Session = new Session({
    id: "sidecar#1",
    node: create(NodeSchema, { id: "sidecar" }),
    protocol: "delta",
    clock: systemClock,
    write: () => undefined,
    events: {},
    orderWaitMs: 1000,
    responseBytes: 1 << 20,
  });
  session.publish(createSnapshot(1, testMessages({ listenerPort: 1, upstreamPort: 2, services: 500, vhds: true })));
  return session;
}

test("who asks and doesn't read is answered no further than the wire takes", async () => {
  const proxy = largeSession();
  let asked = 0;
  const limits = { maxMessageBytes: 1 << 20, maxStreamsPerConnection: 10, maxConnections: 10, firstMessageMs: 60_000 };
  const server = new GrpcServer(limits, systemClock);
  registerCsds(server, () => {
    asked++;
    return [proxy];
  });
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => void server.stop(0));
  // grpc-js' own client reads whatever comes; this one leaves it on the wire until it is resumed.
  const session = connect(`http://127.0.0.1:${port}`);
  closers.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": `/${ClientStatusDiscoveryService.typeName}/StreamClientStatus`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  const questions = 60;
  for (let turn = 0; turn < questions; turn++) stream.write(emptyMessage);
  await expect.poll(() => asked).toBeGreaterThan(0);
  // Pings come back on the same connection: whatever the server would answer unread, it has answered by now.
  for (let turn = 0; turn < 20; turn++) await ping(session);
  expect(asked).toBeLessThan(questions / 2);
  stream.resume();
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(questions);
});

/** Uncompressed, of no bytes: a request with nothing set. */
const emptyMessage = Buffer.from([0, 0, 0, 0, 0]);

const ping = (session: ClientHttp2Session): Promise<void> =>
  new Promise((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()));
  });
