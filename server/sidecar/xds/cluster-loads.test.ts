import { afterEach, expect, it } from "vitest";
import { eventually, Fixtures, lbEndpoint, toCluster } from "../test-plane.ts";
import { ClusterLoads } from "./cluster-loads.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

it("tells what each locality had since the last report, what is under way, and what was refused", async () => {
  const open: (() => void)[] = [];
  const [good, bad, unused] = [
    await fixtures.http((_, response) => void open.push(() => response.end("ok"))),
    await fixtures.http((_, response) => void response.writeHead(503).end()),
    await fixtures.http(() => {}),
  ];
  const locality = (zone: string, port: number, priority = 0) => ({
    locality: { region: "eu", zone },
    priority,
    lb_endpoints: [lbEndpoint(port)],
  });
  const localities = [locality("a", good), locality("b", bad), locality("c", unused, 1)];
  const cluster = {
    name: "up",
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: "up", endpoints: localities },
  };
  const test = await fixtures.plane({ clusters: [cluster], routes: [toCluster("up")] });
  const up = test.plane.clusterMap.get("up");
  if (up === undefined) throw new Error("no cluster");
  const loads = new ClusterLoads(up, 1_000);
  const clients = await Promise.all([1, 2].map(() => fixtures.client(test.port)));
  for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  // Endpoints take turns: one of the two waits, the other has its answer.
  await eventually(() => open.length === 1 && test.records.length === 1);
  const under = loads.report(3_500, false);
  expect(under).toMatchObject({
    clusterName: "up",
    clusterServiceName: "",
    loadReportInterval: { seconds: 2n, nanos: 5e8 },
  });
  const byZone = (report: typeof under) =>
    Object.fromEntries(report.upstreamLocalityStats.map((one) => [one.locality?.zone, one]));
  expect(Object.keys(byZone(under)).sort()).toEqual(["a", "b"]);
  expect(byZone(under).a).toMatchObject({
    totalIssuedRequests: 1n,
    totalRequestsInProgress: 1n,
    totalSuccessfulRequests: 0n,
  });
  expect(byZone(under).b).toMatchObject({
    totalIssuedRequests: 1n,
    totalErrorRequests: 1n,
    totalRequestsInProgress: 0n,
  });

  for (const answer of open.splice(0)) answer();
  await eventually(() => test.records.length === 2);
  const after = loads.report(4_000, true);
  expect(byZone(after)).toMatchObject({
    a: { totalIssuedRequests: 0n, totalSuccessfulRequests: 1n, totalRequestsInProgress: 0n },
  });
  expect(byZone(after).a?.upstreamEndpointStats).toMatchObject([
    { address: { address: { value: { portSpecifier: { value: good } } } }, totalSuccessfulRequests: 1n },
  ]);
  up.stats.rqPendingOverflow.inc(3);
  expect(loads.report(5_000, false)).toMatchObject({ upstreamLocalityStats: [], totalDroppedRequests: 3n });
  expect(loads.report(6_000, false)).toMatchObject({ totalDroppedRequests: 0n });
});
