import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";
import { sendPartMetrics } from "./part-metrics.ts";

const part = (name: string, node: string | null, usage: { cpuMs: number; memoryBytes: number } | null) => ({
  name,
  kind: "sidecar",
  pid: 1,
  address: "",
  state: "ready",
  restarts: 0,
  startedAt: 1000,
  lastExit: null,
  ends: [],
  node,
  metrics: null,
  admin: null,
  usage,
});

it("tells what each part's process takes, a proxy's under its node id, and goes on when nobody takes it", async () => {
  const bodies: string[] = [];
  let answers = false;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      if (answers) bodies.push(body);
      if (answers) response.end("{}");
      else request.socket.destroy();
      answers = true;
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const parts = () => [
    part("reviews-v1", "sidecar~127.0.1.3~reviews-v1.default~x", { cpuMs: 2500, memoryBytes: 99 }),
    part("collector", null, { cpuMs: 1, memoryBytes: 2 }),
    part("gone", null, null),
  ];
  const stop = sendPartMetrics({ port, parts, everyMs: 10 });
  try {
    await vi.waitFor(() => expect(bodies.length).toBeGreaterThan(0), 10_000);
  } finally {
    stop();
    server.close();
    server.closeAllConnections();
  }
  const { resourceMetrics } = JSON.parse(bodies[0] ?? "{}");
  expect(resourceMetrics).toHaveLength(2);
  const attributes = resourceMetrics[0].resource.attributes.map(
    ({ key, value }: { key: string; value: { stringValue: string } }) => [key, value.stringValue],
  );
  expect(attributes).toContainEqual(["service.instance.id", "sidecar~127.0.1.3~reviews-v1.default~x"]);
  expect(resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[0].asDouble).toBe(2.5);
});
