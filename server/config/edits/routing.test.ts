import { expect, test } from "vitest";
import { Routing } from "../../contract/traffic.ts";
import { parseDocuments } from "../kinds/index.ts";
import { percents, routingOf } from "./routing.ts";
import type { DestinationRule, VirtualService } from "./service-host.ts";

const parsed = parseDocuments(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  resourceVersion: "12"
  annotations: {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
spec:
  hosts: [reviews]
  http:
  - name: jason
    match:
    - uri: {prefix: /api}
      ignoreUriCase: true
      headers: {end-user: {exact: jason}, x-any: {}}
    - withoutHeaders: {cookie: {}, x-a: {prefix: b}}
      queryParams: {q: {regex: "a+"}}
      method: {exact: GET}
      sourceLabels: {app: productpage}
    route: [{destination: {host: reviews, subset: canary}}]
    fault: {delay: {fixedDelay: 2s, percentage: {value: 50}}, abort: {httpStatus: 503, percentage: {value: 10}}}
    retries: {attempts: 2, perTryTimeout: 500ms, retryOn: 5xx}
    timeout: 3s
  - match: [{uri: {exact: /old}}]
    redirect: {scheme: https, authority: new.example.com, redirectCode: 308}
  - match: [{uri: {exact: /hi}}]
    directResponse: {status: 204}
  - route:
    - {destination: {host: reviews, subset: v1}, weight: 2}
    - {destination: {host: reviews, subset: canary}, weight: 1}
    mirror: {host: reviews, subset: v3}
    mirrorPercentage: {value: 25}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: canary, labels: {version: v2}}
  - {name: v3, labels: {version: v3, zone: a}}
`);
const [virtualService, destinationRule] = (parsed.ok ? parsed.value : []) as unknown as [
  VirtualService,
  DestinationRule,
];

test("says rules in words", () => {
  const versions = ["v1", "v2", "v3", "4.0_b"];
  const routing = routingOf({
    service: { namespace: "default", name: "reviews", hostname: "reviews.default.svc.cluster.local" },
    virtualService,
    destinationRule,
    versions,
    proxies: 7,
    entrances: [],
  });
  expect(Routing.parse(routing)).toEqual(routing);
  expect(routing.rules.map((rule) => rule.matches)).toEqual([
    [
      "uri prefix /api (any case) and header end-user = jason and header x-any is there",
      "method = GET and no header cookie and not header x-a prefix b and query q matches a+ and from productpage",
    ],
    ["uri = /old"],
    ["uri = /hi"],
    [],
  ]);
  expect(routing.rules[0]).toMatchObject({
    name: "jason",
    timeout: "3s",
    retries: "2 of 500ms on 5xx",
    fault: "50 % delayed by 2s, 10 % aborted with 503",
    destinations: [{ host: "reviews", subset: "canary", version: "v2", weight: 100 }],
  });
  expect(routing.rules.slice(1, 3).map((rule) => rule.redirect)).toEqual([
    "308 to https://new.example.com",
    "answered with 204",
  ]);
  expect(routing.rules[3]).toMatchObject({
    mirror: "reviews v3 25 %",
    destinations: [
      { subset: "v1", version: "v1", weight: 67 },
      { subset: "canary", version: "v2", weight: 33 },
    ],
  });
  // v3 stands for more than its version, so a subset for the version alone gets another name.
  expect(routing.versions).toEqual([
    { version: "v1", subset: "v1" },
    { version: "v2", subset: "canary" },
    { version: "v3", subset: "v3-2" },
    { version: "4.0_b", subset: "4-0-b" },
  ]);
  expect(routing.virtualService).toMatchObject({ namespace: "default", name: "reviews", resourceVersion: "12" });
  expect(routing.virtualService?.yaml).not.toContain("last-applied");
  expect(parseDocuments(routing.virtualService?.yaml ?? "")).toMatchObject({
    ok: true,
    value: [{ spec: virtualService.spec }],
  });
});

test("a service without objects has no rules", () => {
  const routing = routingOf({
    service: { namespace: "default", name: "x", hostname: "x" },
    virtualService: undefined,
    destinationRule: undefined,
    versions: ["v1"],
    entrances: [],
    proxies: 0,
  });
  expect(routing).toMatchObject({
    virtualService: null,
    destinationRule: null,
    rules: [],
    versions: [{ version: "v1", subset: "v1" }],
  });
});

test("percents sum to 100", () => {
  expect(percents([1, 1, 1])).toEqual([34, 33, 33]);
  expect(percents([0, 0])).toEqual([0, 0]);
  expect(percents([1, 999])).toEqual([0, 100]);
});

test("a TCP service's rules are those of its connections", () => {
  const documents = parseDocuments(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: db }
spec:
  hosts: [db]
  http: [{ route: [{ destination: { host: db } }] }]
  tcp:
  - match: [{ port: 3306 }]
    route: [{ destination: { host: db, subset: v1 } }]
`);
  const [database] = documents.ok ? (documents.value as unknown as VirtualService[]) : [];
  const { rules, layer } = Routing.parse(
    routingOf({
      service: { namespace: "default", name: "db", hostname: "db.default.svc.cluster.local", layer: "tcp" },
      virtualService: database,
      destinationRule: undefined,
      versions: [],
      entrances: [],
      proxies: 0,
    }),
  );
  expect(layer).toBe("tcp");
  expect(rules.map(({ matches, destinations }) => [matches, destinations.map(({ subset }) => subset)])).toEqual([
    [["port 3306"], ["v1"]],
  ]);
});
