import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster, toCluster } from "./test-plane.ts";
import { WallClock } from "./wall-clock.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

describe("wall clock", () => {
  it("keeps the order of moments below the millisecond, and follows steps", () => {
    let [wall, monotonic] = [1_000_000, 50.25];
    const clock = new WallClock(
      () => wall,
      () => monotonic,
    );
    monotonic = 51.5;
    wall = 1_000_001;
    expect(clock.at(51.25) - clock.at(51)).toBe(0.25);
    expect(clock.at(51)).toBe(1_000_000.75);
    wall += 3_600_000;
    expect(clock.at(51.5)).toBe(4_600_001);
    wall -= 7_200_000;
    expect(clock.at(51.5)).toBe(-2_599_999);
  });

  it("stamps requests and connections by the clock as it is when they end", async () => {
    let stepMs = 0;
    const wallNow = () => Date.now() + stepMs;
    const http = await fixtures.http((_, response) => {
      stepMs += 3_600_000;
      response.end("ok");
    });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [http])], routes: [toCluster("up")], wallNow });
    for (const hours of [1, 2]) {
      const before = Date.now();
      await fetch(`http://127.0.0.1:${test.port}/`);
      await eventually(() => test.records.length === hours);
      const { startMs, durationMs } = test.lastRecord;
      expect(startMs).toBeGreaterThanOrEqual(before + hours * 3_600_000 - 2);
      expect(startMs + durationMs).toBeLessThanOrEqual(Date.now() + hours * 3_600_000 + 2);
      expect(durationMs).toBeLessThan(60_000);
    }
    const tcp = await fixtures.plane({
      clusters: [staticCluster("up", [http])],
      wallNow,
      listener: {
        filter_chains: [
          {
            filters: [
              {
                name: "tcp",
                typed_config: {
                  "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                  stat_prefix: "t",
                  cluster: "up",
                  access_log: [{ name: "test" }],
                },
              },
            ],
          },
        ],
      },
    });
    const before = Date.now();
    const client = await fixtures.client(tcp.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await client.untilEnd();
    client.socket.end();
    await eventually(() => tcp.records.length === 1);
    expect(tcp.lastRecord.startMs).toBeGreaterThanOrEqual(before + 3 * 3_600_000 - 2);
  });
});
