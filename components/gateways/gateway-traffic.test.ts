import { expect, it } from "vitest";
import type { GatewayRoute, GatewayView } from "../../server/contract/index.ts";
import { besides, rulesBeside } from "./gateway-traffic.ts";

const route = (name: string, index: number, ...hosts: string[]): GatewayRoute =>
  ({
    virtualService: { namespace: "default", name },
    kind: "http",
    hosts: ["*"],
    rule: { index, destinations: hosts.map((host) => ({ host })) },
    services: hosts.map((host) => ({
      namespace: "default",
      hostname: `${host}.default.svc.cluster.local`,
      name: host,
    })),
  }) as unknown as GatewayRoute;
const gateway = (name: string, app: string, ...routes: GatewayRoute[]): GatewayView =>
  ({
    namespace: "default",
    name,
    proxies: [{ namespace: "istio-system", app }],
    servers: [],
    routes,
  }) as unknown as GatewayView;

const bookinfo = route("bookinfo", 0, "productpage");
const shop = gateway("shop", "ingress", route("shop", 0, "productpage"), route("shop", 1, "cart"), bookinfo);
const books = gateway("books", "ingress", bookinfo);
const inner = gateway("inner", "east-west", route("inner", 0, "productpage"));
const all = [shop, books, inner];

it("tells which gateways have the same proxies: their traffic is told as one", () => {
  expect(besides(shop, all)).toEqual([books]);
  expect(besides(inner, all)).toEqual([]);
});

it("counts the other rules of these proxies that send to the same service, each once", () => {
  expect(rulesBeside(bookinfo, books, all)).toBe(1);
  expect(shop.routes.map((one) => rulesBeside(one, shop, all))).toEqual([1, 0, 1]);
  expect(inner.routes.map((one) => rulesBeside(one, inner, all))).toEqual([0]);
  expect(rulesBeside(route("both", 0, "cart", "productpage"), shop, all)).toBe(0);
});
