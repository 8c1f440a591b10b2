import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { warmUp } from "./warm-up.ts";

let servers: Server[];
beforeEach(() => {
  servers = [];
});
afterEach(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const rule = {
  index: 0,
  destinations: [["v1", 70] as const, ["v2", 30] as const].map(([subset, weight]) => ({ subset, weight })),
};
const answers: Record<string, unknown> = {
  "/api/services": { services: ["details", "reviews"].map((name) => ({ namespace: "default", name })) },
  "/api/services/default/details/routing": { virtualService: null, rules: [] },
  "/api/services/default/reviews/routing": { virtualService: { resourceVersion: "7" }, rules: [rule] },
};

/** A dashboard that notes what it is asked. */
async function startDashboard(): Promise<{ url: string; asked: string[]; bodies: string[] }> {
  const asked: string[] = [];
  const bodies: string[] = [];
  const url = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (body !== "") bodies.push(body);
      response.end(JSON.stringify(answers[request.url ?? ""] ?? {}));
    });
  });
  return { url, asked, bodies };
}

test("it waits until the mesh has started, and writes nothing but dry runs", async () => {
  const { url, asked, bodies } = await startDashboard();
  let started = false;
  let polls = 0;
  const fleet = await serve((_, response) => {
    polls++;
    response.end(JSON.stringify({ started }));
  });
  const { signal } = new AbortController();
  const done = warmUp({ dashboard: url, fleet, signal });
  await vi.waitFor(() => expect(polls).toBeGreaterThan(1), 5000);
  expect(asked).toEqual([]);
  started = true;
  await done;
  expect(asked).toContain("GET /topology");
  const writes = asked.filter((one) => !one.startsWith("GET "));
  expect(writes).toHaveLength(5);
  for (const write of writes) expect(write).toContain("/reviews/routing/weights?dryRun=true");
  expect(JSON.parse(bodies[0] ?? "")).toEqual({ rule: 0, weights: { v1: 70, v2: 30 }, resourceVersion: "7" });
});

test("without a supervisor it goes by the control plane; a dashboard that has gone stops it quietly", async () => {
  const { url, asked } = await startDashboard();
  const { signal } = new AbortController();
  await warmUp({ dashboard: url, fleet: "http://127.0.0.1:1", signal });
  expect(asked).toContain("GET /topology");
  const closing = new AbortController();
  const stopped = warmUp({ dashboard: "http://127.0.0.1:1", fleet: "http://127.0.0.1:1", signal: closing.signal });
  closing.abort();
  await stopped;
});
