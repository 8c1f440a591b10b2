import { expect } from "vitest";
import { until } from "../harness/until.ts";
import type { Scenario } from "../scenario.ts";
import { large, reviews, sameBody, sized, subsets, to } from "./documents.ts";

export const routing: Scenario[] = [
  {
    name: "without rules every version gets its share",
    steps: [
      {
        call: { path: "/reviews/0" },
        times: 300,
        expect: { status: 200, versions: { v1: 1 / 3, v2: 1 / 3, v3: 1 / 3 } },
      },
      {
        call: { host: "reviews.default.svc.cluster.local:9080" },
        expect: { status: 200, upstream: { app: "reviews" } },
      },
      {
        call: { host: "ratings:9080", path: "/ratings/0?a=b" },
        expect: { upstream: { app: "ratings", path: "/ratings/0?a=b" } },
      },
    ],
  },
  {
    name: "bodies pass unchanged, with a length and in chunks, there and back",
    config: reviews(`
  - ${to("v1")}`),
    steps: [
      { call: { method: "POST", body: large }, expect: { status: 200, check: sameBody(large) } },
      {
        call: { method: "PUT", body: ["one,", "two,", large] },
        expect: { status: 200, check: sameBody(`one,two,${large}`) },
      },
      { call: { path: "/?bytes=3000000" }, times: 3, expect: { status: 200, check: sized(3_000_000) } },
      {
        call: { path: "/?bytes=5000", method: "HEAD" },
        expect: { status: 200, headers: { "content-length": "5000" }, body: "" },
      },
    ],
  },
  {
    name: "weights 100 and 0",
    config: reviews(`
  - route:
    - { destination: { host: reviews, subset: v1 }, weight: 100 }
    - { destination: { host: reviews, subset: v2 }, weight: 0 }`),
    steps: [{ call: {}, times: 60, expect: { status: 200, versions: { v1: 1 } } }],
  },
  {
    name: "weights 90 and 10",
    config: reviews(`
  - route:
    - { destination: { host: reviews, subset: v1 }, weight: 90 }
    - { destination: { host: reviews, subset: v3 }, weight: 10 }`),
    steps: [{ call: {}, times: 500, expect: { status: 200, versions: { v1: 0.9, v3: 0.1 } } }],
  },
  {
    name: "a header picks the version",
    config: reviews(`
  - { match: [{ headers: { end-user: { exact: jason } } }], ${to("v2")} }
  - { match: [{ headers: { end-user: { prefix: "j" } }, method: { exact: POST } }], ${to("v3")} }
  - ${to("v1")}`),
    steps: [
      { call: { headers: { "end-user": "jason" } }, times: 5, expect: { versions: { v2: 1 } } },
      { call: { headers: { "end-user": "jane" }, method: "POST" }, expect: { versions: { v3: 1 } } },
      { call: { headers: { "end-user": "jane" } }, expect: { versions: { v1: 1 } } },
      { call: {}, expect: { versions: { v1: 1 } } },
    ],
  },
  {
    name: "rules of a delegate of another namespace stand in place of the root's, and what contradicts it is left out",
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
  - match: [{ uri: { prefix: /team } }]
    headers: { request: { set: { x-root: "1" } } }
    delegate: { name: part, namespace: team }
  - match: [{ uri: { prefix: /hidden } }]
    delegate: { name: hidden, namespace: team }
  - ${to("v1")}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: part, namespace: team }
spec:
  exportTo: [default]
  http:
  - { match: [{ uri: { prefix: / } }], directResponse: { status: 418 } }
  - match: [{ uri: { prefix: /team/new/ }, headers: { beta: { exact: "1" } } }]
    rewrite: { uri: / }
    route: [{ destination: { host: reviews.default.svc.cluster.local, subset: v3 } }]
  - route: [{ destination: { host: reviews.default.svc.cluster.local, subset: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: hidden, namespace: team }
spec: { exportTo: ["."], http: [{ directResponse: { status: 418 } }] }
---${subsets()}`,
    steps: [
      {
        call: { path: "/team/new/x", headers: { beta: "1" } },
        expect: { versions: { v3: 1 }, upstream: { path: "/x", headers: { "x-root": "1" } } },
      },
      { call: { path: "/team/new/x" }, expect: { versions: { v2: 1 }, upstream: { headers: { "x-root": "1" } } } },
      { call: { path: "/hidden" }, expect: { versions: { v1: 1 } } },
      { call: { path: "/other" }, expect: { versions: { v1: 1 } } },
    ],
  },
  {
    name: "a DestinationRule for some workloads is the callers' that have its labels",
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews, subset: pick } }] }] }
---${["everybody: v1", "other: v2", "client: v3"]
      .map((one) => one.split(": "))
      .map(
        ([app, version]) => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: for-${app}, namespace: default }
spec:
  host: reviews
  subsets: [{ name: pick, labels: { version: ${version} } }]${
    app === "everybody" ? "" : `\n  workloadSelector: { matchLabels: { app: ${app} } }`
  }`,
      )
      .join("\n---")}`,
    steps: [{ call: {}, times: 20, expect: { status: 200, versions: { v3: 1 } } }],
  },
  {
    name: "query and absent header pick the version",
    config: reviews(`
  - { match: [{ queryParams: { v: { exact: "2" } } }], ${to("v2")} }
  - { match: [{ withoutHeaders: { x-plain: {} } }], ${to("v3")} }
  - ${to("v1")}`),
    steps: [
      { call: { path: "/?a=1&v=2" }, expect: { versions: { v2: 1 } } },
      { call: { path: "/?v=22" }, expect: { versions: { v3: 1 } } },
      { call: { headers: { "x-plain": "1" } }, expect: { versions: { v1: 1 } } },
    ],
  },
  {
    name: "the path picks the version: exact, prefix, regex",
    config: reviews(`
  - { match: [{ uri: { exact: /exact } }], ${to("v1")} }
  - { match: [{ uri: { prefix: /api/ } }], ${to("v2")} }
  - { match: [{ uri: { regex: "/items/[0-9]{1,300}" } }], ${to("v3")} }`),
    steps: [
      { call: { path: "/exact" }, expect: { versions: { v1: 1 } } },
      { call: { path: "/exact?with=query" }, expect: { versions: { v1: 1 } } },
      { call: { path: "/api/v1/x" }, expect: { versions: { v2: 1 } } },
      { call: { path: "/items/42" }, expect: { versions: { v3: 1 } } },
      { call: { path: "/items/42/more" }, expect: { status: 404 } },
      { call: { path: "/exactly" }, expect: { status: 404 } },
    ],
  },
  {
    name: "rewrite of path and authority",
    config: reviews(`
  - match: [{ uri: { prefix: /old/ } }]
    rewrite: { uri: /new/, authority: elsewhere.example }
    ${to("v1")}`),
    steps: [
      {
        call: { path: "/old/page?q=1" },
        expect: {
          status: 200,
          upstream: {
            path: "/new/page?q=1",
            headers: { host: "elsewhere.example", "x-envoy-original-path": "/old/page?q=1" },
          },
        },
      },
    ],
  },
  {
    name: "redirect",
    config: reviews(`
  - match: [{ uri: { exact: /moved } }]
    redirect: { uri: /here, authority: "new.example", redirectCode: 308 }
  - ${to("v1")}`),
    steps: [{ call: { path: "/moved" }, expect: { status: 308, headers: { location: "http://new.example/here" } } }],
  },
  {
    name: "direct response",
    config: reviews(`
  - match: [{ uri: { exact: /teapot } }]
    directResponse: { status: 418, body: { string: "short and stout" } }
  - ${to("v1")}`),
    steps: [
      { call: { path: "/teapot" }, expect: { status: 418, body: "short and stout" } },
      { call: { path: "/other" }, expect: { status: 200 } },
    ],
  },
  {
    name: "headers set, added and removed both ways",
    config: reviews(`
  - headers:
      request: { set: { x-set: replaced }, add: { x-added: "1" }, remove: [x-secret] }
      response: { set: { x-from: limpid }, remove: [x-upstream] }
    ${to("v1")}`),
    steps: [
      {
        call: { headers: { "x-set": "old", "x-secret": "s", "x-added": "0" } },
        expect: {
          headers: { "x-from": "limpid", "x-upstream": null },
          upstream: { headers: { "x-set": "replaced", "x-added": "0, 1", "x-secret": null } },
        },
      },
    ],
  },
  {
    name: "mirror",
    config: reviews(`
  - mirror: { host: reviews, subset: v3 }
    mirrorPercentage: { value: 100 }
    ${to("v1")}`),
    steps: [{ call: { path: "/mirrored" }, times: 10, expect: { versions: { v1: 1 } } }],
    async after({ applications }) {
      const shadow = applications["reviews-v3"].requests;
      await until(() => expect(shadow).toHaveLength(10));
      expect(shadow[0]).toMatchObject({ path: "/mirrored", headers: { host: "reviews:9080" } });
    },
  },
];
