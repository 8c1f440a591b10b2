import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { readBody } from "./http-body.ts";
import { createHttpListener, type HttpListenerHandler, type HttpListenerOptions, readTarget } from "./http-listener.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(handler: HttpListenerHandler, options?: HttpListenerOptions): Promise<number> {
  const server = createHttpListener(handler, options);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Everything that comes back for bytes as they are. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
  });
  socket.end(bytes, "latin1");
  await once(socket, "close");
  return answer;
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

test.each([
  ["/", { path: "/", query: "" }],
  ["/a//b?c?d", { path: "/a//b", query: "c?d" }],
  ["/%E4%BD%A0", { path: "/%E4%BD%A0", query: "" }],
  ["//[", undefined],
  ["//localhost/x", undefined],
  ["/%ff", undefined],
  ["/%", undefined],
  ["http://localhost/", undefined],
  ["*", undefined],
  ["", undefined],
])("the target %j", (target, expected) => {
  expect(readTarget(target)).toEqual(expected);
});

test("what is no path is a 400, and the handler never sees it", async () => {
  const seen: string[] = [];
  const port = await listen((_, response, { path }) => {
    seen.push(path);
    response.end("fine");
  });
  for (const target of ["//[", "/config/%ff/x/y", "http://localhost/", "*"]) {
    expect(await send(port, get(target)), target).toMatch(/^HTTP\/1\.1 400 /);
  }
  expect(await send(port, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  expect(await send(port, get("/").replace("Host: localhost", `Host: localhost\r\nx: ${"y".repeat(20_000)}`))).toMatch(
    /^HTTP\/1\.1 431 /,
  );
  expect(seen).toEqual([]);
  expect(await send(port, get("/x"))).toContain("fine");
});

test("what a handler throws, at once or later, is a 500 and told; a begun answer is cut off", async () => {
  const told: unknown[] = [];
  const failure = new Error("boom");
  const port = await listen(
    (_, response, { path }) => {
      if (path === "/now") throw failure;
      if (path === "/later") return Promise.reject(failure);
      response.writeHead(200, { "content-length": 10 }).write("half");
      return Promise.reject(failure);
    },
    { onError: (error) => told.push(error) },
  );
  expect(await send(port, get("/now"))).toMatch(
    /^HTTP\/1\.1 500 [\s\S]*\{"code":"INTERNAL","message":"internal error"\}$/,
  );
  expect(await send(port, get("/later"))).toMatch(/^HTTP\/1\.1 500 /);
  expect(await send(port, get("/half"))).not.toContain("internal error");
  expect(told).toEqual([failure, failure, failure]);
});

test("nobody is told of a client that left within its body", async () => {
  const told: unknown[] = [];
  const left = Promise.withResolvers<unknown>();
  const port = await listen(
    (request) =>
      readBody(request, 100, () => new Error("too large")).then(
        () => {},
        (error: unknown) => {
          left.resolve(error);
          throw error;
        },
      ),
    { onError: (error) => told.push(error) },
  );
  const socket = connect(port, "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
  await once(servers[0] as Server, "request");
  socket.destroy();
  expect(await left.promise).toBeInstanceOf(Error);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
});

test("an upgrade is an ordinary request", async () => {
  const port = await listen((_, response) => void response.end("fine"));
  const upgrade = get("/").replace("Connection: close", "Connection: Upgrade, close\r\nUpgrade: websocket");
  expect(await send(port, upgrade)).toMatch(/^HTTP\/1\.1 200 /);
});
