import { describe, expect, it } from "vitest";
import type { MeshService } from "../contract/index.ts";
import type { EdgeRow, LogFilter, LogQuery, LogRow } from "../query/reader.ts";
import { createLogs, type LogSources } from "./logs.ts";

const nobody = { workload: "", namespace: "", app: "", version: "" };
const edge: EdgeRow = {
  id: 1,
  reporter: "source",
  gateway: false,
  source: { workload: "productpage-v1", namespace: "default", app: "productpage", version: "v1" },
  service: "reviews.default.svc.cluster.local",
  destination: nobody,
  protocol: "http",
  mtls: false,
};
const row = (id: number): LogRow => ({
  id,
  atMs: 1000 + id,
  edge,
  direction: "outbound",
  proxy: "sidecar~1",
  code: 503,
  grpcStatus: -1,
  flags: ["UF", "URX"],
  durationMs: 12.5,
  requestBytes: 0,
  responseBytes: 91,
  method: "GET",
  path: "/reviews/0",
  authority: "reviews:9080",
  requestId: "r",
  traceId: "",
  upstreamCluster: "",
  upstreamHost: "",
  details: "upstream_reset_before_response_started{connection_failure}",
  config: "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews",
});
const service = (name: string): MeshService => ({
  namespace: "default",
  name,
  hostname: `${name}.default.svc.cluster.local`,
  external: false,
  ports: [],
  versions: [],
  virtualServices: [],
  destinationRules: [],
});

function logsOf(rows: LogRow[], over: Partial<LogSources> = {}) {
  const asked: unknown[] = [];
  const queries = {
    logs: async (query: Partial<LogQuery> & { limit: number }) => {
      asked.push(query);
      return rows.slice(0, query.limit);
    },
    async *followLogs(filter: LogFilter) {
      asked.push(filter);
      yield rows.toReversed();
    },
  };
  const services = async () => [service("reviews"), service("productpage")];
  return { asked, logs: createLogs({ queries: async () => queries, services, now: () => 5000, ...over }) };
}

describe("logs", () => {
  it("answers lines with what they lead to, and where the next page begins", async () => {
    const { logs, asked } = logsOf([row(3), row(2), row(1)]);
    const page = await logs.logs({ service: "reviews", window: "2", limit: "2" });
    expect(asked).toEqual([{ service: edge.service, fromMs: 4000, toMs: 6000, limit: 3 }]);
    expect(page.entries.map(({ id }) => id)).toEqual([3, 2]);
    expect(page).toMatchObject({ at: 5000, next: "1002-2" });
    expect(page.entries[0]).toMatchObject({
      at: 1003,
      source: { app: "productpage", service: { hostname: "productpage.default.svc.cluster.local" } },
      destination: { app: "", service: null },
      serviceLink: { namespace: "default", name: "reviews" },
      grpcStatus: null,
      config: { kind: "VirtualService", namespace: "default", name: "reviews" },
    });
  });
  it("says of mutual TLS what the one that is called tells, and of the caller's line nothing", async () => {
    const called: EdgeRow = { ...edge, reporter: "destination", mtls: true };
    const page = await logsOf([{ ...row(1), edge: called }, row(2)]).logs.logs({});
    expect(page.entries.map(({ mtls }) => mtls)).toEqual([true, null]);
  });
  it("ends where there is no more", async () => {
    expect((await logsOf([row(1)]).logs.logs({ limit: "1" })).next).toBeNull();
  });
  it("names services that it does not have, but asks for one that was removed, and for any while nobody can be asked", async () => {
    const { logs, asked } = logsOf([]);
    await expect(logs.logs({ service: "reviws" })).rejects.toMatchObject({
      code: "INVALID",
      errors: [{ path: "service" }],
    });
    const empty = logsOf([], { services: async () => [] });
    await expect(empty.logs.logs({ service: "reviews" })).rejects.toThrow("there is no reviews; there are none");
    await logs.logs({ service: "gone.default.svc.cluster.local" });
    expect(asked).toMatchObject([{ service: "gone.default.svc.cluster.local" }]);
    const alone = logsOf([], { services: () => Promise.reject(new Error("away")) });
    await alone.logs.logs({ service: "reviews" });
    expect(alone.asked).toMatchObject([{ service: "reviews" }]);
  });
  it("follows, newest first", async () => {
    const { logs, asked } = logsOf([row(2), row(1)]);
    const stream = await logs.liveLogs({ service: "default/reviews", window: "60" });
    for await (const { entries, leftOut } of stream.events(new AbortController().signal)) {
      expect(entries.map(({ id }) => id)).toEqual([2, 1]);
      expect(leftOut).toBe(false);
    }
    expect(asked).toEqual([{ service: edge.service }]);
  });
});
