import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { readBody } from "./http-body.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const read = (message: IncomingMessage) => readBody(message, 10, () => new Error("too large"));

/** A server that gives each request to `handle`, and a socket to it. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Socket> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
  closers.push(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

/** What `readBody` says of one request, which is answered with it. */
function echo(): { outcome: Promise<string>; handle(request: IncomingMessage, response: ServerResponse): void } {
  const { promise: outcome, resolve } = Promise.withResolvers<string>();
  return {
    outcome,
    handle(request, response) {
      read(request).then(
        (body) => {
          resolve(body.toString());
          response.end(body);
        },
        (error: Error) => {
          resolve(error.message);
          response.writeHead(413, { connection: "close" }).end();
        },
      );
    },
  };
}

const head = (fields: string) => `POST / HTTP/1.1\r\nhost: x\r\n${fields}\r\n\r\n`;

it.each([
  ["with a length", `${head("content-length: 5")}hello`, "hello"],
  ["in chunks", `${head("transfer-encoding: chunked")}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, "hello"],
  ["without a body", head("x: y"), ""],
  ["that says it is too large", head("content-length: 11"), "too large"],
  ["that turns out too large", `${head("transfer-encoding: chunked")}b\r\nhello world\r\n`, "too large"],
])("a request %s", async (_, text, expected) => {
  const { outcome, handle } = echo();
  const socket = await serve(handle);
  socket.write(text);
  expect(await outcome).toBe(expected);
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toContain(expected === "too large" ? " 413 " : " 200 ");
});

it("rejects when the peer goes within the body", async () => {
  const { outcome, handle } = echo();
  const socket = await serve(handle);
  socket.write(`${head("content-length: 5")}he`, () => socket.destroy());
  expect(await outcome).toMatch(/aborted|closed the connection/);
});

it("rejects when the peer had gone before anybody read", async () => {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
  const socket = await serve((request) => request.once("error", () => {}).once("close", () => resolve(request)));
  socket.write(`${head("content-length: 5")}he`, () => socket.destroy());
  await expect(read(await promise)).rejects.toThrow("closed the connection");
});
