import { expect, it } from "vitest";
import { ProxyTables } from "../contract/index.ts";
import { buildMesh } from "../model/mesh.ts";
import { objectsOf, proxyOf } from "../translate/testing/cases.ts";
import { translate } from "../translate/translate.ts";
import { resourceKinds } from "../xds/resource-kinds.ts";
import type { EncodedResource } from "./holdings.ts";
import { proxyTables } from "./proxy-tables.ts";

const yaml = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.1.3, labels: { app: reviews, version: v1 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: { prefix: /cart }, headers: { end-user: { exact: jason } } }]
      route: [{ destination: { host: reviews, subset: v1 } }]
    - route: [{ destination: { host: reviews } }]
`;

function tables(): ProxyTables {
  const id = "sidecar~127.0.1.1~page.default~default.svc.cluster.local";
  const made = translate(buildMesh(objectsOf(yaml), 1), proxyOf({ id, metadata: { LABELS: { app: "page" } } }));
  const encode = (kind: "listener" | "route" | "virtualHost" | "cluster" | "endpoint", messages: unknown) =>
    [...(messages as ReadonlyMap<string, never>)].map(
      ([name, message]): EncodedResource => ({
        typeUrl: resourceKinds[kind].typeUrl,
        name,
        value: (resourceKinds[kind].toBinary as (message: never, name: string) => Uint8Array)(message, name),
      }),
    );
  const resources = [
    ...encode("listener", made.listeners),
    ...encode("route", made.routes),
    ...encode("virtualHost", made.virtualHosts),
    ...encode("cluster", made.clusters),
    ...encode("endpoint", made.endpoints),
  ];
  return ProxyTables.parse(proxyTables(id, resources));
}

it("has a row for each route, with the rule that it comes from", () => {
  const routes = tables().routes.filter(({ domains }) => domains.some((domain) => domain.startsWith("reviews")));
  expect(routes.map(({ match, does, to, origin }) => [match, does, to, origin?.name, origin?.rule])).toEqual([
    [
      "prefix /cart, header end-user",
      "forward",
      "outbound|9080|v1|reviews.default.svc.cluster.local",
      "reviews",
      expect.stringContaining("http[0]"),
    ],
    ["", "forward", "outbound|9080||reviews.default.svc.cluster.local", "reviews", expect.stringContaining("http[1]")],
  ]);
});

it("has clusters with their DestinationRule, and their endpoints", () => {
  const { clusters, endpoints } = tables();
  const subset = clusters.find((one) => one.subset === "v1");
  expect(subset).toMatchObject({
    host: "reviews.default.svc.cluster.local",
    port: "9080",
    direction: "outbound",
    endpoints: 1,
    healthy: 1,
    origin: { kind: "DestinationRule", name: "reviews", rule: "subsets[v1]" },
  });
  expect(endpoints.filter(({ cluster }) => cluster === subset?.cluster)).toMatchObject([
    { address: "127.0.1.3:9080", resource: { type: "EDS" } },
  ]);
});

it("has listeners with what they serve", () => {
  const { listeners, more } = tables();
  expect(more).toBe(0);
  expect(listeners.length).toBeGreaterThan(0);
  expect(listeners.some(({ serves, to }) => serves === "http" && to !== "")).toBe(true);
});
