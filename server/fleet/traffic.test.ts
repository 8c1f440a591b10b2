import { createServer } from "node:http";
import { afterEach, expect, test, vi } from "vitest";
import { parseTrafficRate, startTraffic, type TrafficGenerator } from "./traffic.ts";

const cleanups: (() => void)[] = [];
let traffic: TrafficGenerator | undefined;
afterEach(async () => {
  await traffic?.stop();
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function gateway(status: () => number): Promise<number> {
  const server = createServer((_, res) => res.writeHead(status()).end("x"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as { port: number }).port;
}

test("requests arrive, are counted by outcome, and stop at rate 0", async () => {
  let calls = 0;
  const port = await gateway(() => (++calls % 2 === 0 ? 503 : 200));
  traffic = startTraffic({ host: "127.0.0.1", port }, 500);
  await vi.waitFor(() => expect(traffic?.stats().sent).toBeGreaterThan(100), { timeout: 5000 });
  traffic.setRate(0);
  await vi.waitFor(() => expect(traffic?.stats().inFlight).toBe(0));
  const { sent, ok, serverErrors, failed } = traffic.stats();
  expect(ok + serverErrors + failed).toBe(sent);
  expect(serverErrors).toBeGreaterThan(sent / 3);
});

test("a mesh that is down is counted as failed, not thrown", async () => {
  const port = await gateway(() => 200);
  for (const cleanup of cleanups.splice(0)) cleanup();
  traffic = startTraffic({ host: "127.0.0.1", port }, 500);
  await vi.waitFor(() => expect(traffic?.stats().failed).toBeGreaterThan(5), { timeout: 5000 });
});

test.each(["", "x", "-1", "2001"])("rate %j is refused", (value) => {
  expect(() => parseTrafficRate(value)).toThrow("must be a number of requests per second from 0 to 2000");
});
