import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildMesh } from "../model/mesh.ts";
import { loadCase } from "./testing/cases.ts";
import { type Call, whichCluster } from "./testing/which-cluster.ts";
import { translate } from "./translate.ts";

const resourcesOf = (name: string) => {
  const { proxy, objects } = loadCase(join(import.meta.dirname, "testdata", `${name}.in.yaml`));
  return translate(buildMesh(objects, 1), { ...proxy, delta: false });
};
const to = (service: string, subset = "", port = 9080, namespace = "default") =>
  `outbound|${port}|${subset}|${service}.${namespace}.svc.cluster.local`;

const reviews = "reviews:9080";
/** Golden case, call, where it goes. */
const table: [string, Call, Record<string, number>][] = [
  ["bookinfo-sidecar", { authority: reviews }, { [to("reviews", "v1")]: 80, [to("reviews", "v2")]: 20 }],
  ["bookinfo-sidecar", { authority: "reviews.default:9080" }, { [to("reviews", "v1")]: 80, [to("reviews", "v2")]: 20 }],
  ["bookinfo-sidecar", { authority: "ratings.default.svc.cluster.local:9080" }, { [to("ratings")]: 100 }],
  ["bookinfo-sidecar", { authority: "reviews" }, { "status 502": 100 }],
  ["bookinfo-sidecar", { authority: "reviews:80" }, { "status 502": 100 }],
  ["redirect", { authority: "ratings:9080", path: "/1" }, { redirect: 100 }],
  ["redirect", { authority: "ratings:9080", path: "/5" }, { "status 503": 100 }],
  ["redirect", { authority: "ratings:9080", path: "/elsewhere" }, { "status 404": 100 }],
  ["destinations", { authority: "front:80", path: "/1" }, { [to("double", "", 8080)]: 100 }],
  ["destinations", { authority: "front", path: "/3" }, { [to("double", "", 80)]: 100 }],
  ["destinations", { authority: "front:8080", path: "/3" }, { [to("double", "", 8080)]: 100 }],
  ["overlaps", { authority: "reviews.default:9080" }, { "outbound|9080||reviews.default": 100 }],
  ["overlaps", { authority: "x.default.svc.cluster.local" }, { "outbound|80||*.default.svc.cluster.local": 100 }],
  ["gateway", { authority: "anything", path: "/productpage", port: 8080 }, { [to("productpage")]: 100 }],
  ["gateway", { authority: "anything", path: "/productpage/1", port: 8080 }, { "404": 100 }],
  ["gateway", { authority: "anything:8080", path: "/static/x", port: 8080 }, { [to("productpage")]: 100 }],
  ["gateway", { authority: "anything", path: "/internal", port: 8080 }, { "404": 100 }],
  ["gateway-hosts", { authority: "shop.example.org", port: 80 }, { [to("b", "", 9080, "shop")]: 100 }],
  ["gateway-hosts", { authority: "own.example.org", port: 80 }, { [to("a")]: 100 }],
  ["gateway-hosts", { authority: "other.example.org", port: 80 }, { "404": 100 }],
  ["gateway-hosts", { authority: "nobody.example.com", port: 81 }, { "404": 100 }],
];

describe("a call through the sidecar's own router", () => {
  it.each(table)("%s: %j", (name, call, expected) => {
    expect(whichCluster(resourcesOf(name), call)).toEqual(expected);
  });
});
