import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildMesh } from "../model/mesh.ts";
import { loadCase } from "./testing/cases.ts";
import { type Call, whichCluster } from "./testing/which-cluster.ts";
import { type Connection, whichUpstream } from "./testing/which-upstream.ts";
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
  ["delegate", { authority: "shop:9080", path: "/missing" }, { [to("shop")]: 100 }],
  ["delegate", { authority: "shop:9080", path: "/private" }, { [to("shop")]: 100 }],
  ["delegate", { authority: "shop:9080", path: "/reviews/v2?beta=1" }, { [to("reviews", "v2", 9080, "team")]: 100 }],
  [
    "delegate",
    { authority: "shop:9080", path: "/reviews/v2" },
    { [to("reviews", "v1", 9080, "team")]: 90, [to("reviews", "v2", 9080, "team")]: 10 },
  ],
  ["delegate", { authority: "shop:9080", path: "/reviews", headers: { "x-beta": "1" } }, { redirect: 100 }],
  ["delegate", { authority: "shop:9080", path: "/rates" }, { [to("shop")]: 100 }],
  [
    "delegate",
    { authority: "shop:9080", path: "/rates", headers: { "end-user": "jason" } },
    { [to("reviews", "v1", 9080, "team")]: 90, [to("reviews", "v2", 9080, "team")]: 10 },
  ],
  ["delegate", { authority: "shop:9080", path: "/closed" }, { "status 503": 100 }],
  ["delegate-gateway", { authority: "a.example.com", path: "/reviews/own", port: 80 }, { "404": 100 }],
  [
    "delegate-gateway",
    { authority: "a.example.com", path: "/reviews/named", port: 80 },
    { [to("reviews", "", 9080, "team")]: 100 },
  ],
  [
    "delegate-gateway",
    { authority: "b.example.com", path: "/reviews/both", port: 80 },
    { [to("reviews", "", 9080, "team")]: 100 },
  ],
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

const [tcp, tls] = ["127.0.1.6_3306", "127.0.1.6_443"];
const connections: [string, Connection, Record<string, number>][] = [
  ["tcp", { listener: tcp }, { [to("mysqldb", "v1", 3306)]: 80, [to("mysqldb", "v2", 3306)]: 20 }],
  ["tcp", { listener: "127.0.1.6_6379" }, { [to("a-younger-one", "", 6379)]: 100 }],
  ["tcp", { listener: "127.0.1.6_15001" }, { http: 100 }],
  ["tls", { listener: tls, sni: "www.example.com" }, { "outbound|443||www.example.com": 100 }],
  ["tls", { listener: tls, sni: "api.example.com" }, { "outbound|443||api.example.com": 100 }],
  ["tls", { listener: tls, sni: "b.example.org" }, { [to("vault", "", 8443)]: 100 }],
  ["tls", { listener: tls, sni: "c.example.org" }, { "outbound|443||www.example.com": 25, [to("vault", "", 443)]: 75 }],
  ["tls", { listener: tls, sni: "vault.default.svc" }, { [to("vault", "", 443)]: 100 }],
  ["tls", { listener: tls, sni: "" }, { closed: 100 }],
  ["tls", { listener: tls }, { closed: 100 }],
  ["gateway-l4", { listener: "0.0.0.0_8443", sni: "db.example.com" }, { [to("db", "", 443)]: 100 }],
  ["gateway-l4", { listener: "0.0.0.0_8443", sni: "db.example.org" }, { closed: 100 }],
  ["gateway-l4", { listener: "0.0.0.0_8444", sni: "anything" }, { [to("db", "", 443)]: 100 }],
  ["gateway-l4", { listener: "0.0.0.0_8444" }, { closed: 100 }],
  ["gateway-l4", { listener: "0.0.0.0_31400" }, { [to("db", "", 3306)]: 100 }],
];

describe("a connection through the sidecar's own filter chain match", () => {
  it.each(connections)("%s: %j", (name, connection, expected) => {
    expect(whichUpstream(resourcesOf(name), connection)).toEqual(expected);
  });
});
