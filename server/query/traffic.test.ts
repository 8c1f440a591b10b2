import { describe, expect, it } from "vitest";
import { NodeNames } from "./nodes.ts";
import { edge, facts, row, service } from "./testing/rows.ts";
import { trafficOf } from "./traffic.ts";

const names = new NodeNames(facts());
const destination = { reporter: "destination" } as const;

describe("trafficOf", () => {
  it("counts a request once that both sides told of, by the source's word", () => {
    const rows = [
      row(edge("productpage", "reviews/v2"), { count: 8, latencyMs: 20 }),
      row(edge("productpage", "reviews/v2"), { count: 2, code: 503, flags: ["UF"] }),
      row(edge("productpage", "reviews/v2", destination), { count: 8, latencyMs: 5 }),
    ];
    const { edges, counts } = trafficOf(rows, names);
    expect(edges).toHaveLength(1);
    const [reviews] = edges;
    expect(reviews?.counted.count).toBe(10);
    expect(reviews?.counted.errors).toBe(2);
    expect(reviews?.counted.flags).toEqual(new Map([["UF", 2]]));
    expect(reviews?.reported.source?.percentile(0.5)).toBeCloseTo(20, 0);
    expect(reviews?.reported.destination?.percentile(0.5)).toBeCloseTo(5, 0);
    expect(rows.map(counts)).toEqual([true, true, false]);
  });

  it("goes by the destination where the source has no sidecar", () => {
    const rows = [row(edge("", "productpage", destination), { count: 3 })];
    const { edges, counts } = trafficOf(rows, names);
    expect(edges[0]).toMatchObject({ source: { kind: "source", app: "unknown" }, counted: { count: 3 } });
    expect(edges[0]?.reported.source).toBeUndefined();
    expect(rows.map(counts)).toEqual([true]);
  });

  it("takes the called name from the source, and the share of mutual TLS from the destination", () => {
    const alias = { service: "reviews-alias.default.svc.cluster.local" };
    const rows = [
      row(edge("productpage", "reviews", { ...destination, mtls: true }), { count: 900 }),
      row(edge("productpage", "reviews", destination), { count: 300 }),
      row(edge("productpage", "reviews", alias), { count: 1 }),
    ];
    expect(trafficOf(rows, names).edges).toMatchObject([{ service: alias.service, mtls: 0.75 }]);
    expect(trafficOf(rows.slice(2), names).edges).toMatchObject([{ mtls: 0 }]);
  });

  it("keeps protocols and versions apart", () => {
    const rows = [
      row(edge("a", "b/v1")),
      row(edge("a", "b/v2")),
      row(edge("a", "b/v1", { protocol: "tcp" }), { code: 0 }),
    ];
    expect(trafficOf(rows, names).edges.map((each) => each.id)).toEqual([
      "default/a/v1>default/b/v1:http",
      "default/a/v1>default/b/v2:http",
      "default/a/v1>default/b/v1:tcp",
    ]);
  });

  it("counts a TCP connection once, although its destination can't tell whose it was", () => {
    const tcp = { protocol: "tcp" } as const;
    const rows = [
      row(edge("ratings", "mysqldb", tcp), { code: 0, count: 5 }),
      row(edge("", "mysqldb", { ...destination, ...tcp }), { code: 0, count: 5 }),
      row(edge("", "other", { ...destination, ...tcp }), { code: 0, count: 2 }),
    ];
    const { edges, edgeOf, counts } = trafficOf(rows, names);
    expect(edges.map((each) => [each.source.app, each.target.app, each.counted.count])).toEqual([
      ["ratings", "mysqldb", 5],
      ["unknown", "other", 2],
    ]);
    expect(rows.map(counts)).toEqual([true, false, true]);
    expect(rows.map((each) => edgeOf(each)?.target.app)).toEqual(["mysqldb", undefined, "other"]);
  });

  it("has no response as an error for HTTP, and a flag for TCP", () => {
    const rows = [
      row(edge("a", "b"), { code: 0, count: 2 }),
      row(edge("a", "b", { protocol: "tcp" }), { code: 0, count: 3 }),
      row(edge("a", "b", { protocol: "tcp" }), { code: 0, count: 1, flags: ["UF"] }),
    ];
    expect(trafficOf(rows, names).edges.map((each) => each.counted.errors)).toEqual([2, 1]);
  });

  it("marks the side that says it is a gateway, also where the other one does not know", () => {
    const rows = [
      row(edge("gw", "productpage", destination)),
      row(edge("gw", "productpage", { gateway: true })),
      row(edge("", "gw", { ...destination, gateway: true })),
    ];
    const { edges } = trafficOf(rows, names);
    expect(edges.map((each) => [each.source.kind, each.target.kind])).toEqual([
      ["gateway", "workload"],
      ["source", "gateway"],
    ]);
  });
});

describe("a call that reached nobody", () => {
  const target = (to: string, known = facts(), changes = {}) =>
    trafficOf([row(edge("a", to, changes))], new NodeNames(known)).edges[0]?.target;

  it("goes to the version of its subset", () => {
    expect(target("reviews/?v3")).toMatchObject({ id: "default/reviews/v3", kind: "workload" });
    const renamed = service("reviews", []);
    renamed.versions = [{ version: "2.1", subset: "canary", workloads: ["reviews-canary"], endpoints: [] }];
    expect(target("reviews/?canary", facts(renamed))).toMatchObject({
      id: "default/reviews/2.1",
      workload: "reviews-canary",
    });
  });

  it("goes to the only version there is, and else to one that is not known", () => {
    expect(target("ratings/-", facts(service("ratings", ["v1"])))?.id).toBe("default/ratings/v1");
    const unknown = target("ratings/-", facts(service("ratings", ["v1", "v2"])));
    expect(unknown).toMatchObject({ id: "default/ratings/unknown", kind: "unknown", version: null });
  });

  it("may be to a host outside, or to no host that is known", () => {
    const outside = {
      service: "api.example.com",
      destination: { workload: "", namespace: "", app: "api.example.com", version: "" },
    };
    expect(target("x", facts(), outside)).toMatchObject({
      kind: "external",
      app: "api.example.com",
      namespace: "external",
    });
    const blackHole = { service: "BlackHoleCluster", destination: { ...outside.destination, app: "BlackHoleCluster" } };
    expect(target("x", facts(), blackHole)).toMatchObject({ kind: "unknown", id: "unknown/BlackHoleCluster/unknown" });
  });
});
