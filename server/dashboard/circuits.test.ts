import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { MeshService, ProxyList } from "../contract/index.ts";
import { circuitsIn, createCircuits } from "./circuits.ts";

const of = (cluster: string) => `{envoy_cluster_name="${cluster}"}`;
const metrics = `# TYPE envoy_cluster_upstream_cx_active gauge
envoy_cluster_upstream_cx_active${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 3
envoy_cluster_upstream_rq_active${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 2
envoy_cluster_upstream_cx_overflow${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 4
envoy_cluster_upstream_rq_pending_overflow${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 5
envoy_cluster_membership_total${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 2
envoy_cluster_outlier_detection_ejections_active${of("outbound|9080|v1|reviews.default.svc.cluster.local")} 1
envoy_cluster_upstream_cx_active${of("outbound|9080||reviews.default.svc.cluster.local")} 0
envoy_cluster_membership_total${of("outbound|9080||reviews.default.svc.cluster.local")} 6
envoy_cluster_upstream_cx_active${of("outbound|9080||ratings.default.svc.cluster.local")} 7
envoy_cluster_upstream_cx_active${of("inbound|9080||")} 1
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="outbound|9080|v1|reviews.default.svc.cluster.local"} 90
`;
const hostname = "reviews.default.svc.cluster.local";
const v1 = {
  caller: "productpage-v1",
  namespace: "default",
  port: 9080,
  subset: "v1",
  connections: 3,
  requests: 2,
  pending: 0,
  overflowed: 9,
  ejected: 1,
  endpoints: 2,
};

test("a proxy's gauges of one service, by subset, without what is idle", () => {
  expect(circuitsIn(metrics, hostname, { name: "productpage-v1", namespace: "default" })).toEqual([v1]);
});

test("proxies that can't be asked are counted", async () => {
  const server = createServer((_, response) => response.end(metrics)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((done) => server.once("listening", done));
  const proxy = (id: string, name: string, connected = true) => ({ id, name, namespace: "default", connected });
  const read = createCircuits({
    services: async () => [{ namespace: "default", name: "reviews", hostname }] as MeshService[],
    proxies: async () =>
      ({
        at: 0,
        revision: 1,
        proxies: [proxy("a", "productpage-v1"), proxy("b", "far"), proxy("c", "gone", false)],
      }) as ProxyList,
    metrics: async () => new Map([["a", `http://127.0.0.1:${(server.address() as AddressInfo).port}`]]),
    now: () => 5,
  });
  expect(await read({ namespace: "default", name: hostname })).toEqual({ at: 5, circuits: [v1], unknown: 1 });
  expect(await read({ namespace: "default", name: "nobody" })).toEqual({ at: 5, circuits: [], unknown: 0 });
});
