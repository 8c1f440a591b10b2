import { afterEach, describe, expect, it, vi } from "vitest";
import { HealthCheckSchema } from "../../gen/proto/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { ResponseFlag } from "../record.ts";
import type { FilterFactory, RequestContext } from "../request/filter.ts";
import type { Hold } from "../request/hold.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

// A filter that holds every request and leaves the rest to the test, as one does that waits for another server's word.
const { held } = vi.hoisted(() => ({ held: [] as { hold: Hold; exchange: RequestContext; closed: number }[] }));

vi.mock("./registry.ts", async (original) => {
  const registry = await original<typeof import("./registry.ts")>();
  const holding: FilterFactory = {
    schema: HealthCheckSchema,
    perRouteSchema: HealthCheckSchema,
    fields: { [HealthCheckSchema.typeName]: "opaque" },
    compile: (name) => ({
      name,
      onRequest(exchange) {
        const entry = { hold: exchange.hold(() => entry.closed++), exchange, closed: 0 };
        held.push(entry);
        return entry.hold;
      },
    }),
    compilePerRoute: () => undefined,
  };
  return { ...registry, filterFactories: [...registry.filterFactories, holding], filterFactory: () => holding };
});

const fixtures = new Fixtures();
afterEach(() => {
  fixtures.close();
  held.length = 0;
});

async function holding(manager = {}) {
  const seen: string[] = [];
  const up = await fixtures.http((request, response) => {
    seen.push(request.url ?? "");
    response.end("from upstream");
  });
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up])],
    routes: [toCluster("up")],
    filters: [{ name: "hold", typed_config: { "@type": `type.googleapis.com/${HealthCheckSchema.typeName}` } }],
    manager,
  });
  const client = await fixtures.client(test.port);
  client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually(() => held.length === 1);
  const [entry] = held;
  if (entry === undefined) throw new Error("nothing held");
  return { test, client, seen, entry };
}

describe("a request that a filter holds", () => {
  it("goes on when it is told to, once", async () => {
    const { client, seen, entry } = await holding();
    entry.hold.resume();
    entry.hold.resume();
    await client.until((text) => text.endsWith("from upstream"));
    expect([seen, entry.closed]).toEqual([["/held"], 1]);
  });

  it("goes nowhere once the client has left", async () => {
    const { test, client, seen, entry } = await holding();
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    entry.hold.resume();
    await test.plane.drain(1000);
    expect([seen, entry.closed]).toEqual([[], 1]);
    expect(test.counter("cluster.up.upstream_rq_total")).toBe(0);
  });

  it("goes nowhere once it was answered, so that the next request on the connection gets its own answer", async () => {
    const { test, client, seen, entry } = await holding({ stream_idle_timeout: "0.05s" });
    await client.until((text) => text.includes("stream timeout"));
    expect(test.lastRecord.responseFlags).toBe(ResponseFlag.streamIdleTimeout);
    expect(entry.closed).toBe(1);
    client.received = "";
    entry.hold.resume();
    client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => held.length === 2);
    held[1]?.hold.resume();
    await client.until((text) => text.endsWith("from upstream"));
    expect(client.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect([seen, entry.closed, held[1]?.closed]).toEqual([["/next"], 1, 1]);
  });

  it("is let go of when its filter answers", async () => {
    const { client, seen, entry } = await holding();
    entry.exchange.reply(403, "no", "denied", 0);
    entry.hold.resume();
    await client.until((text) => text.endsWith("no"));
    expect([seen, entry.closed]).toEqual([[], 1]);
  });
});
