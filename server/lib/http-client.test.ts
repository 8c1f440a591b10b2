import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createHttpClient, TimeoutError } from "./http-client.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("sends method, headers and body, and keeps the connection", async () => {
  const sockets = new Set<Socket>();
  const base = await serve((req, res) => {
    sockets.add(req.socket);
    let body = "";
    req.on("data", (chunk) => {
      body += chunk;
    });
    req.on("end", () => res.writeHead(201).end(`${req.method} ${req.url} ${req.headers["x-a"]} ${body}`));
  });
  const client = createHttpClient(base, 5000);
  for (let i = 0; i < 3; i++) {
    const answer = await client.call("PUT", "/x?y=1", { headers: { "x-a": "b" }, body: "grüße" });
    expect(answer).toEqual({ status: 201, text: "PUT /x?y=1 b grüße" });
  }
  expect(sockets.size).toBe(1);
});

it("says that there was no answer in time, also when only its end is missing", async () => {
  const base = await serve((req, res) => {
    if (req.url === "/half") res.write("half");
  });
  const client = createHttpClient(base, 50);
  await expect(client.call("GET", "/none")).rejects.toThrow(TimeoutError);
  await expect(client.call("GET", "/half")).rejects.toThrow("no answer within 50 ms");
});

it("rejects when nobody listens", async () => {
  const base = await serve(() => undefined);
  server?.close();
  await expect(createHttpClient(base, 1000).call("GET", "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("asks again over a new connection when a kept one turns out to be closed, but never writes twice", async () => {
  let calls = 0;
  const base = await serve((req, res) => {
    calls++;
    if (calls % 2 === 0) req.socket.resetAndDestroy();
    else res.end("ok");
  });
  const client = createHttpClient(base, 1000);
  expect((await client.call("GET", "/")).text).toBe("ok");
  expect((await client.call("GET", "/")).text).toBe("ok");
  expect(calls).toBe(3);
  await expect(client.call("PUT", "/", { body: "{}" })).rejects.toThrow("closed the connection");
  expect(calls).toBe(4);
});
