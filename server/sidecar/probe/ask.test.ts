import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { addHealth } from "../../grpc/health.ts";
import { GrpcServer } from "../../grpc/server.ts";
import { systemClock } from "../../lib/clock.ts";
import { ask } from "./ask.ts";

const host = "127.0.0.1";
/** For what is to answer. */
const patience = 10_000;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function portOf(server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Takes connections, and says nothing. */
function silent(): Promise<number> {
  const sockets: Socket[] = [];
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return portOf(createServer((socket) => sockets.push(socket)));
}

/** Nobody listens there: it was given to a server that has closed. */
async function nobody(): Promise<number> {
  const server = createServer();
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const web = (handler: RequestListener) => portOf(createHttpServer(handler));

test("http: statuses below 400 are well; path and headers are the probe's", async () => {
  const heard: unknown[] = [];
  const port = await web(({ url, headers }, response) => {
    heard.push([url, headers.host, headers["x-a"], headers["user-agent"]]);
    response.statusCode = url === "/moved" ? 302 : url === "/ill" ? 503 : 204;
    response.end();
  });
  const asked = (path: string) =>
    ask(
      {
        kind: "http",
        host,
        port,
        path,
        tls: false,
        headers: [
          { name: "Host", value: "cart.test" },
          { name: "X-A", value: "b" },
        ],
      },
      patience,
    );
  expect([await asked("/well"), await asked("/moved"), await asked("/ill")]).toEqual([
    undefined,
    undefined,
    "/ill answered 503",
  ]);
  expect(heard[0]).toEqual(["/well", "cart.test", "b", "limpid-probe"]);
});

test("http: no answer in time, and nobody there", async () => {
  const at = (port: number) => ({ kind: "http", host, port, path: "/", tls: false, headers: [] }) as const;
  expect(await ask(at(await silent()), 50)).toBe("no answer within 0.05 s");
  expect(await ask(at(await nobody()), patience)).toContain("ECONNREFUSED");
});

test("tcp: a connection is enough", async () => {
  expect(await ask({ kind: "tcp", host, port: await silent() }, patience)).toBeUndefined();
  expect(await ask({ kind: "tcp", host, port: await nobody() }, patience)).toContain("ECONNREFUSED");
});

test("grpc: the server or one of its services says that it serves", async () => {
  const limits = { maxMessageBytes: 1 << 20, maxStreamsPerConnection: 16, maxConnections: 4, firstMessageMs: patience };
  const server = new GrpcServer(limits, systemClock);
  const health = addHealth(server, ["cart.Cart"], true);
  const port = await server.listen({ host, port: 0 });
  closers.push(() => server.stop(0));
  const asked = (service: string, timeoutMs = patience) => ask({ kind: "grpc", host, port, service }, timeoutMs);
  expect([await asked(""), await asked("cart.Cart")]).toEqual([undefined, undefined]);
  expect(await asked("other")).toBe('NOT_FOUND: there is no service "other" here');
  health.set(false);
  expect([await asked(""), await asked("cart.Cart")]).toEqual([
    "the server is NOT_SERVING",
    "cart.Cart is NOT_SERVING",
  ]);
});

test("grpc: no answer in time, and nobody there", async () => {
  expect(await ask({ kind: "grpc", host, port: await silent(), service: "" }, 50)).toBe("no answer within 0.05 s");
  expect(await ask({ kind: "grpc", host, port: await nobody(), service: "" }, patience)).toMatch(/^UNAVAILABLE: /);
});

test("exec: a command that ends with 0 is well, without a shell", async () => {
  const node = (script: string, timeoutMs = patience) =>
    ask({ kind: "exec", command: [process.execPath, "-e", script] }, timeoutMs);
  expect(await node("process.exit(0)")).toBeUndefined();
  expect(await node("process.exit(3)")).toBe(`${process.execPath} ended with 3`);
  expect(await node("setInterval(() => {}, 1000)", 50)).toBe("no answer within 0.05 s");
  expect(await ask({ kind: "exec", command: ["/no/such/command; true"] }, patience)).toContain("ENOENT");
});
