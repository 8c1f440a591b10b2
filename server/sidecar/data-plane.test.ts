import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster, toCluster } from "./test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

describe("proxying", () => {
  it("passes a request and its response, and notes both", async () => {
    const seen: string[] = [];
    const upstream = await fixtures.http((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.end("hello");
    });
    const { port, ...test } = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [toCluster("up")],
    });
    const response = await fetch(`http://127.0.0.1:${port}/a?b=c`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("server")).toBe("envoy");
    expect(seen).toEqual([`GET /a?b=c 127.0.0.1:${port}`]);
    await eventually(() => test.records.length === 1);
    expect(test.records[0]).toMatchObject({
      responseCode: 200,
      responseCodeDetails: "via_upstream",
      responseBodyBytes: 5,
      upstreamCluster: "up",
      upstreamRemotePort: upstream,
      upstreamAttempts: 1,
      responseFlags: 0,
    });
  });
});
