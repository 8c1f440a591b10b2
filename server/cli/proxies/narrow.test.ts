import { describe, expect, it } from "vitest";
import { type Filters, filtersIn, listenerTypeOf, narrowed } from "./narrow.ts";

const cluster = "outbound|9080|v1|reviews.default.svc.cluster.local";
const isShown = (part: string, name: string, filters: Filters, config = {}): boolean =>
  narrowed(part, name, config, filters) !== undefined;

describe("what of a proxy's configuration is asked for", () => {
  it("is told of clusters by their names, of which the service's may be a part", () => {
    expect(isShown("cluster", cluster, { fqdn: "reviews.default" })).toBe(true);
    expect(isShown("cluster", cluster, { fqdn: "ratings" })).toBe(false);
    expect(isShown("cluster", cluster, { port: 9080, subset: "v1", direction: "outbound" })).toBe(true);
    expect(isShown("cluster", cluster, { port: 9080, subset: "v2" })).toBe(false);
    expect(isShown("cluster", "BlackHoleCluster", { fqdn: "Black" })).toBe(false);
    expect(isShown("cluster", "BlackHoleCluster", {})).toBe(true);
  });

  it("is told of routes by the configuration, also where virtual hosts come by themselves", () => {
    expect(isShown("route", "http_proxy", { name: "http_proxy" })).toBe(true);
    expect(isShown("route", "http_proxy/reviews:9080", { name: "http_proxy" })).toBe(true);
    expect(isShown("route", "8080", { name: "http_proxy" })).toBe(false);
  });

  it("is told of listeners by where they listen and what they speak", () => {
    const type = "type.googleapis.com/envoy.extensions.filters.network";
    const filters = (...names: string[]) => [
      { filters: names.map((name) => ({ typedConfig: { "@type": `${type}.${name}` } })) },
    ];
    const http = { filterChains: filters("http_connection_manager.v3.HttpConnectionManager") };
    const both = { ...http, defaultFilterChain: filters("tcp_proxy.v3.TcpProxy")[0] ?? {} };
    expect([http, both, {}].map(listenerTypeOf)).toEqual(["HTTP", "HTTP+TCP", "-"]);
    const at = { address: { socketAddress: { address: "127.0.0.1", portValue: 9080 } } };
    expect(isShown("listener", "any", { address: "127.0.0.1", port: 9080 }, at)).toBe(true);
    expect(isShown("listener", "any", { port: 80 }, at)).toBe(false);
  });

  it("leaves of an assignment the endpoints that are asked for", () => {
    const endpoint = (portValue: number, healthStatus?: string) => ({
      endpoint: { address: { socketAddress: { address: "10.0.0.1", portValue } } },
      ...(healthStatus && { healthStatus }),
    });
    const config = { endpoints: [{ lbEndpoints: [endpoint(1), endpoint(2, "UNHEALTHY")] }] };
    expect(narrowed("endpoint", cluster, config, { status: "UNHEALTHY" })).toEqual({
      endpoints: [{ lbEndpoints: [endpoint(2, "UNHEALTHY")] }],
    });
    expect(narrowed("endpoint", cluster, config, { status: "HEALTHY", port: 2 })).toBeUndefined();
    expect(narrowed("endpoint", cluster, config, { cluster: "another" })).toBeUndefined();
  });

  it("refuses what a part can't be told by, and says what can be", () => {
    expect(filtersIn("endpoint", { port: 80 })).toEqual({ port: 80 });
    expect(() => filtersIn("listener", { subset: "v1" })).toThrow(
      "--subset is for cluster, not for listener; listener has --address, --port, --type",
    );
    expect(() => filtersIn("secret", { port: 1 })).toThrow("--port is for listener, cluster, endpoint, not for secret");
    expect(filtersIn("all", { fqdn: "reviews", status: "HEALTHY" })).toEqual({ fqdn: "reviews", status: "HEALTHY" });
  });
});
