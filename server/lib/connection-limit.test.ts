import { once } from "node:events";
import { createServer, get, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limitConnections } from "./connection-limit.ts";

let server: Server;
let port: number;
let held: ServerResponse[];
let sockets: Socket[];

beforeEach(async () => {
  held = [];
  sockets = [];
  server = createServer((request, response) => {
    if (request.url === "/held") held.push(response);
    else response.end("ok");
  });
  limitConnections(server, 8);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  server.close();
});

async function open(text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  if (text) socket.write(text);
  return socket;
}

const ask = (): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path: "/", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });

describe("connections that only stand there", () => {
  it("lock nobody out, nor do heads that never end", async () => {
    const idle = await Promise.all(
      Array.from({ length: 20 }, (_, i) => open(i % 2 ? "GET / HTTP/1.1\r\nHost: a" : "")),
    );
    expect(await ask()).toBe(200);
    await expect.poll(() => idle.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(12);
  });

  it("give way, the idlest first; a running request never does", async () => {
    const busy = await open("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    await expect.poll(() => held.length).toBe(1);
    const first = await open();
    for (let i = 0; i < 7; i++) await open();
    await expect.poll(() => first.closed).toBe(true);
    expect(busy.closed).toBe(false);
    held[0]?.end("late");
    const [answer] = (await once(busy, "data")) as [Buffer];
    expect(answer.toString()).toContain("200 OK");
  });

  it("are refused while every place has a running request", async () => {
    await Promise.all(Array.from({ length: 8 }, () => open("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")));
    await expect.poll(() => held.length).toBe(8);
    await expect(ask()).rejects.toThrow();
    held[0]?.end();
    await expect.poll(() => ask().catch(() => 0)).toBe(200);
  });
});
