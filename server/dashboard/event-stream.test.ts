import { once } from "node:events";
import { get, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createApiRoutes } from "./api-call.ts";
import { EventStream } from "./event-stream.ts";
import { createDashboardServer } from "./http-server.ts";
import { everybodyIs } from "./testing/callers.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

let running = 0;
let atOnce = 0;

async function start(): Promise<number> {
  running = 0;
  const api = createApiRoutes();
  const counted = (events: (signal: AbortSignal) => AsyncGenerator<unknown>) => async () =>
    new EventStream(async function* (signal) {
      running += 1;
      atOnce = Math.max(atOnce, running);
      try {
        yield* events(signal);
      } finally {
        running -= 1;
      }
    });
  api.add(
    "GET",
    "/api/live",
    counted(async function* (signal) {
      yield { one: "a\n\nb" };
      yield 2;
      if (!signal.aborted) await once(signal, "abort");
    }),
  );
  api.add(
    "GET",
    "/api/short",
    counted(async function* () {
      yield 1;
      throw new Error("the store went away");
    }),
  );
  server = createDashboardServer({
    api,
    callers: everybodyIs(),
    place: { port: 3000, secure: false },
    addresses: async () => undefined,
    pages: (_request, response) => response.end(),
    allowedHosts: [],
    onError: () => {},
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false }, resolve).on("error", reject);
  });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

it("sends each event as one line of JSON, and ends what it reads from when the client goes", async () => {
  const port = await start();
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n");
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await until(() => text.includes("data: 2\n\n"));
  expect(text).toMatch(/^HTTP\/1\.1 200/);
  expect(text).toMatch(/content-type: text\/event-stream/i);
  expect(text).toMatch(/cache-control: no-store/i);
  expect(text).toMatch(/x-frame-options: DENY/i);
  expect(text).toContain(":\n\n");
  expect(text).toContain('data: {"one":"a\\n\\nb"}\n\n');
  expect(running).toBe(1);
  socket.destroy();
  await until(() => running === 0);
});

it("says why it ends", async () => {
  const answer = await ask(await start(), "/api/short");
  let text = "";
  for await (const chunk of answer) text += chunk;
  expect(text).toBe(':\n\ndata: 1\n\nevent: failed\ndata: {"code":"INTERNAL","message":"the store went away"}\n\n');
});

it("is guarded as every other answer", async () => {
  const answer = await ask(await start(), "/api/live", { host: "evil.example" });
  answer.resume();
  expect(answer.statusCode).toBe(421);
  expect(running).toBe(0);
});

it("refuses a stream too many in a sentence, and takes it when another has ended", async () => {
  const port = await start();
  const open = await Promise.all(Array.from({ length: 32 }, () => ask(port, "/api/live")));
  for (const answer of open) answer.resume();
  await until(() => running === 32);
  const refused = await ask(port, "/api/live");
  let text = "";
  for await (const chunk of refused) text += chunk;
  expect([refused.statusCode, JSON.parse(text).code]).toEqual([503, "BUSY"]);
  open[0]?.destroy();
  await until(() => running === 31);
  const taken = await ask(port, "/api/live");
  expect(taken.statusCode).toBe(200);
  expect(atOnce).toBeLessThanOrEqual(32);
  for (const answer of [...open, taken]) answer.destroy();
  await until(() => running === 0);
});
