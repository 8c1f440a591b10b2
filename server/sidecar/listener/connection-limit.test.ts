import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { maxConnections } from "../bootstrap/connection-limit.ts";
import { parseBootstrap } from "../bootstrap/read-bootstrap.ts";
import { eventually, Fixtures } from "../test-plane.ts";

const fixtures = new Fixtures();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await fixtures.close();
});

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ host: "127.0.0.1", port });
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
};
const prefix = "listener.127.0.0.1_0.";

it("closes connections past the limit at once, and takes others when one has gone", async () => {
  const test = await fixtures.plane({ routes: [], maxConnections: 2 });
  const first = await open(test.port);
  await open(test.port);
  await eventually(() => test.gauge(`${prefix}downstream_cx_active`) === 2);
  const third = await open(test.port);
  third.resume();
  await once(third, "close");
  expect(test.counter(`${prefix}downstream_global_cx_overflow`)).toBe(1);
  first.destroy();
  await eventually(() => test.gauge(`${prefix}downstream_cx_active`) === 1);
  await open(test.port);
  await eventually(() => test.gauge(`${prefix}downstream_cx_active`) === 2);
});

it("is not for a listener that says so", async () => {
  const test = await fixtures.plane({ routes: [], maxConnections: 1, listener: { ignore_global_conn_limit: true } });
  await Promise.all([open(test.port), open(test.port)]);
  await eventually(() => test.gauge(`${prefix}downstream_cx_active`) === 2);
});

it("stands in the bootstrap's overload manager", () => {
  const type = "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3";
  const parsed = parseBootstrap(
    JSON.stringify({
      node: { id: "a", cluster: "b" },
      overload_manager: {
        resource_monitors: [
          {
            name: "envoy.resource_monitors.global_downstream_max_connections",
            typed_config: { "@type": `${type}.DownstreamConnectionsConfig`, max_active_downstream_connections: 7 },
          },
        ],
      },
    }),
  );
  expect(parsed.ok && maxConnections(parsed.value.bootstrap)).toBe(7);
});
