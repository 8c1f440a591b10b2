import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { answerWhole } from "./http-answer.ts";
import { createHttpListener } from "./http-listener.ts";

let close = (): void => undefined;
afterEach(() => close());

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createHttpListener(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return (server.address() as AddressInfo).port;
}

/** What a client reads that sends all of a body before it looks. */
async function sendAll(port: number, target: string, bytes: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`);
  const chunk = Buffer.alloc(100_000, 0x20);
  for (let sent = 0; sent < bytes; sent += chunk.length) if (!socket.write(chunk)) await once(socket, "drain");
  let answer = "";
  for await (const part of socket) answer += part;
  return answer;
}

test("who sends too much can read why, and the connection ends", async () => {
  const port = await listen((_, response) => answerWhole(response, 413, { "content-type": "text/plain" }, "too much"));
  expect(await sendAll(port, "/", 8_000_000)).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*too much$/i);
});

test("so can who asks for what is no path, which the listener answers by itself", async () => {
  const port = await listen(() => undefined);
  expect(await sendAll(port, "//[", 8_000_000)).toMatch(/^HTTP\/1\.1 400 [\s\S]*must be a path/);
});

test("what came whole leaves the connection open; HEAD and 204 have no body", async () => {
  const port = await listen((request, response) => {
    request.resume().once("end", () => answerWhole(response, request.url === "/none" ? 204 : 200, {}, "ok"));
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  socket.write("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  socket.write("GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let answers = "";
  for await (const part of socket) answers += part;
  const [posted, head, none] = answers.split("HTTP/1.1 ").slice(1);
  expect(posted).toMatch(/^200 [\s\S]*\r\n\r\nok$/);
  expect(head).toMatch(/^200 [\s\S]*content-length: 2[\s\S]*\r\n\r\n$/);
  expect(none).not.toMatch(/content-length/i);
  expect(none).toMatch(/^204 [\s\S]*\r\n\r\n$/);
});
