import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Answer } from "./harness/call.ts";
import { until } from "./harness/until.ts";
import type { Scenario } from "./scenario.ts";

const subsets = (trafficPolicy = "") => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews${
    trafficPolicy &&
    `
  trafficPolicy: ${trafficPolicy}`
  }
  subsets:
  - { name: v1, labels: { version: v1 } }
  - { name: v2, labels: { version: v2 } }
  - { name: v3, labels: { version: v3 } }`;

/** A VirtualService of `reviews` with these http routes, and its subsets. */
const reviews = (http: string, trafficPolicy?: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:${http}
---${subsets(trafficPolicy)}`;

const to = (subset: string) => `route: [{ destination: { host: reviews, subset: ${subset} } }]`;

/** A host whose calls on the port go to an application. */
const entryTo = (app: string, host: string, port: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: to-${app}, namespace: default }
spec:
  hosts: [${host}]
  resolution: STATIC
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  workloadSelector: { labels: { app: ${app} } }`;

const sidecarOfClient = (fields: string) => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: client, namespace: default }
spec:
  workloadSelector: { labels: { app: client } }
  ${fields}`;

/** An AuthorizationPolicy for `ratings`. */
const guard = (name: string, spec: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: default }
spec: ${spec.replace("{ ", "{ selector: { matchLabels: { app: ratings } }, ")}`;

const large = "0123456789abcdef".repeat(80_000);

const sameBody =
  (body: string) =>
  ([answer]: Answer[]): void => {
    expect(answer?.echo?.bodyBytes).toBe(body.length);
    expect(answer?.echo?.bodyHash).toBe(createHash("sha256").update(body).digest("hex"));
  };

const sized =
  (bytes: number) =>
  (answers: Answer[]): void =>
    expect(answers.map(({ body }) => body.length)).toEqual(answers.map(() => bytes));

export const scenarios: Scenario[] = [
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
  {
    name: "timeout",
    config: reviews(`
  - { timeout: 0.3s, ${to("v1")} }`),
    arrange: ({ applications }) => applications["reviews-v1"].setDelay(2_000),
    steps: [{ call: {}, expect: { status: 504, body: "upstream request timeout", atLeastMs: 290, lessThanMs: 1_500 } }],
  },
  {
    name: "retries until it works",
    config: reviews(`
  - { retries: { attempts: 3, retryOn: 5xx }, ${to("v1")} }`),
    arrange: ({ applications }) => applications["reviews-v1"].answerWith(503, 503),
    steps: [{ call: {}, expect: { status: 200, upstream: { headers: { "x-envoy-attempt-count": "3" } } } }],
    after: ({ applications }) => expect(applications["reviews-v1"].requests).toHaveLength(3),
  },
  {
    name: "a match's requests are counted under its statPrefix, with their retries and final answers",
    config: reviews(`
  - match: [{ uri: { prefix: /counted }, statPrefix: "count:ed" }]
    retries: { attempts: 1, retryOn: 5xx }
    ${to("v1")}
  - ${to("v2")}`),
    arrange: ({ applications }) => applications["reviews-v1"].answerWith(503, 503, 503),
    steps: [
      { call: { path: "/counted/1" }, expect: { status: 503 } },
      { call: { path: "/counted/2" }, times: 2, expect: { status: 200 } },
      { call: { path: "/other" }, expect: { status: 200 } },
    ],
    after: async ({ client }) => {
      const prefix = "vhost.http_proxy/reviews.default.svc.cluster.local:9080.route.count:ed.upstream_rq_";
      const { body } = await client.admin("/stats");
      const lines = body.split("\n").filter((line) => line.startsWith(prefix) && !line.includes("upstream_rq_time:"));
      expect(Object.fromEntries(lines.map((line) => line.slice(prefix.length).split(": ")))).toEqual({
        total: "5",
        completed: "3",
        "200": "2",
        "2xx": "2",
        "503": "1",
        "5xx": "1",
        retry: "2",
        retry_success: "1",
        retry_limit_exceeded: "1",
        retry_overflow: "0",
        timeout: "0",
      });
      expect(body).toContain(`${prefix}time: `);
    },
  },
  {
    name: "retries that run out",
    config: reviews(`
  - { retries: { attempts: 2, retryOn: 5xx }, ${to("v1")} }`),
    arrange: ({ applications }) => applications["reviews-v1"].setStatus(503),
    steps: [{ call: {}, expect: { status: 503 } }],
    after: ({ applications }) => expect(applications["reviews-v1"].requests).toHaveLength(3),
  },
  {
    name: "each try has its own timeout",
    config: reviews(`
  - { timeout: 5s, retries: { attempts: 2, perTryTimeout: 0.3s, retryOn: "5xx" }, ${to("v1")} }`),
    arrange: ({ applications }) => applications["reviews-v1"].setDelay(2_000),
    steps: [{ call: {}, expect: { status: 504, atLeastMs: 850, lessThanMs: 3_000 } }],
    after: ({ applications }) => expect(applications["reviews-v1"].requests).toHaveLength(3),
  },
  {
    name: "a dead endpoint is tried once and another answers, by default",
    config: `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-dead, namespace: default }
spec: { address: 127.0.0.1, ports: { http: 1 }, labels: { app: reviews, version: v4 } }`,
    steps: [{ call: {}, times: 80, expect: { status: 200 } }],
  },
  {
    name: "no retry of a 503 by default",
    config: reviews(`
  - ${to("v1")}`),
    arrange: ({ applications }) => applications["reviews-v1"].answerWith(503),
    steps: [{ call: {}, expect: { status: 503 } }],
  },
  {
    name: "fault: abort of half",
    config: reviews(`
  - { fault: { abort: { httpStatus: 503, percentage: { value: 50 } } }, ${to("v1")} }`),
    steps: [{ call: {}, times: 400, expect: { statuses: { 200: 0.5, 503: 0.5 } } }],
  },
  {
    name: "fault: abort for one user only",
    config: reviews(`
  - match: [{ headers: { end-user: { exact: jason } } }]
    fault: { abort: { httpStatus: 500, percentage: { value: 100 } } }
    ${to("v1")}
  - ${to("v1")}`),
    steps: [
      {
        call: { headers: { "end-user": "jason" } },
        times: 5,
        expect: { status: 500, body: "fault filter abort" },
      },
      { call: {}, times: 5, expect: { status: 200 } },
    ],
  },
  {
    name: "fault: delay",
    config: reviews(`
  - { fault: { delay: { fixedDelay: 0.4s, percentage: { value: 100 } } }, ${to("v1")} }`),
    steps: [{ call: {}, times: 3, expect: { status: 200, atLeastMs: 395, lessThanMs: 2_000 } }],
  },
  {
    name: "circuit breaker: one connection, one waiting",
    // A cluster of its own: what is connected when a limit shrinks may stay.
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings, namespace: default }
spec: { hosts: [ratings], http: [{ route: [{ destination: { host: ratings, subset: narrow } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings, namespace: default }
spec:
  host: ratings
  subsets:
  - name: narrow
    labels: { version: v1 }
    trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } } }`,
    arrange: ({ applications }) => applications["ratings-v1"].setDelay(500),
    steps: [
      // The first call opens the connection: a request that waits for one to open counts as waiting, too.
      { call: { host: "ratings:9080" }, expect: { status: 200 } },
      {
        call: { host: "ratings:9080" },
        times: 10,
        concurrent: true,
        expect: {
          check(answers) {
            const refused = answers.filter(({ status }) => status === 503);
            expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
            expect(refused).toHaveLength(8);
            for (const { headers } of refused) expect(headers["x-envoy-overloaded"]).toBe("true");
          },
        },
      },
    ],
  },
  {
    name: "outlier detection ejects the version that fails",
    config: subsets(
      "{ outlierDetection: { consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100 } }",
    ),
    arrange: ({ applications }) => applications["reviews-v3"].setStatus(500),
    steps: [
      // Enough for each version to be called a few times whatever the balancer's luck.
      { call: {}, times: 60, expect: {} },
      { call: {}, times: 100, expect: { status: 200, versions: { v1: 0.5, v2: 0.5 } } },
    ],
  },
  {
    name: "the gateway routes by host and path",
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop, namespace: default }
spec:
  hosts: [shop.example]
  gateways: [edge]
  http:
  - { match: [{ uri: { prefix: /reviews } }], route: [{ destination: { host: reviews, subset: v2 } }] }
  - { match: [{ uri: { prefix: /ratings } }], route: [{ destination: { host: ratings } }] }
---${subsets()}`,
    steps: [
      {
        call: { via: "gateway", host: "shop.example", path: "/reviews/1" },
        expect: { status: 200, versions: { v2: 1 } },
      },
      { call: { via: "gateway", host: "shop.example", path: "/ratings" }, expect: { upstream: { app: "ratings" } } },
      { call: { via: "gateway", host: "shop.example", path: "/nothing" }, expect: { status: 404 } },
      { call: { via: "gateway", host: "other.example", path: "/reviews/1" }, expect: { status: 404 } },
    ],
  },
  {
    name: "two ServiceEntries of one host add up their ports",
    config: `${entryTo("reviews", "twice.example", 80)}
---${entryTo("ratings", "twice.example", 8080)}`,
    steps: [
      { call: { host: "twice.example" }, times: 5, expect: { status: 200, upstream: { app: "reviews" } } },
      { call: { host: "twice.example:8080" }, times: 5, expect: { status: 200, upstream: { app: "ratings" } } },
    ],
  },
  {
    name: "another namespace's private ServiceEntry hides nothing of one's own",
    config: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: vendor, namespace: team-a, creationTimestamp: "2026-01-01T00:00:00Z" }
spec:
  hosts: [api.vendor.test]
  exportTo: ["."]
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: 1 } }]
---${entryTo("ratings", "api.vendor.test", 80)}`,
    steps: [{ call: { host: "api.vendor.test" }, expect: { status: 200, upstream: { app: "ratings" } } }],
  },
  {
    name: "a ServiceEntry adds a port to a Service",
    config: entryTo("ratings", "reviews.default.svc.cluster.local", 9090),
    steps: [
      { call: { host: "reviews:9090" }, expect: { status: 200, upstream: { app: "ratings" } } },
      { call: { host: "reviews:9080" }, expect: { status: 200, upstream: { app: "reviews" } } },
    ],
  },
  {
    name: "a VirtualService whose hosts are in no registry answers on port 80",
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: virtual, namespace: default }
spec:
  hosts: [shop.internal, "*.apps.test", short]
  http: [{ route: [{ destination: { host: ratings } }] }]`,
    steps: [
      { call: { host: "shop.internal" }, expect: { status: 200, upstream: { app: "ratings" } } },
      { call: { host: "shop.internal:80" }, expect: { status: 200, upstream: { app: "ratings" } } },
      { call: { host: "a.apps.test" }, expect: { status: 200, upstream: { app: "ratings" } } },
      { call: { host: "short" }, expect: { status: 200, upstream: { app: "ratings" } } },
      { call: { host: "shop.internal:81" }, expect: { status: 502 } },
    ],
  },
  {
    name: "a wildcard ServiceEntry sends each call to the host that it names",
    config: ({ applications }) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: default }
spec:
  hosts: ["*.localhost"]
  resolution: NONE
  ports: [{ number: ${applications["ratings-v1"].port}, name: http, protocol: HTTP }]`,
    steps: [
      {
        call: ({ applications }) => ({ host: `any.localhost:${applications["ratings-v1"].port}` }),
        expect: { status: 200, upstream: { app: "ratings" } },
      },
    ],
  },
  {
    name: "a gateway's Service says where its port is listened on, and VirtualServices name Gateways the old way, too",
    config: ({ ports }) => `
apiVersion: v1
kind: Service
metadata: { name: ingress, namespace: default }
spec: { selector: { istio: ingressgateway }, ports: [{ name: http, port: 80, targetPort: ${ports.gateway} }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: fq, namespace: default }
spec:
  hosts: [fq.test]
  gateways: [edge.default.svc.cluster.local]
  http:
  - match: [{ port: 80, uri: { prefix: /moved }, gateways: [edge.default] }]
    redirect: { authority: www.test, derivePort: FROM_REQUEST_PORT }
  - route: [{ destination: { host: ratings } }]`,
    steps: [
      { call: { via: "gateway", host: "fq.test" }, expect: { status: 200, upstream: { app: "ratings" } } },
      {
        call: { via: "gateway", host: "fq.test", path: "/moved" },
        expect: { status: 301, headers: { location: "http://www.test/moved" } },
      },
    ],
  },
  {
    name: "consistentHash: equal calls go to one endpoint, others to others",
    config: subsets("{ loadBalancer: { consistentHash: { httpHeaderName: x-user } } }"),
    steps: ["ada", "grace", "joan"].map((user) => ({
      call: { headers: { "x-user": user } },
      times: 20,
      expect: {
        status: 200,
        check: (answers: Answer[]) => expect(new Set(answers.map(({ echo }) => echo?.version)).size).toBe(1),
      },
    })),
  },
  {
    name: "consistentHash: a cookie that the proxy makes leads back to its endpoint",
    config: subsets("{ loadBalancer: { consistentHash: { httpCookie: { name: session, ttl: 60s } } } }"),
    steps: [{ call: {}, expect: { status: 200, headers: { "set-cookie": /^session="[0-9a-f]+"; Max-Age=60/ } } }],
  },
  {
    name: "failoverPriority: endpoints that share the caller's labels go first",
    config: subsets(
      "{ outlierDetection: { interval: 10s }, loadBalancer: { localityLbSetting: { failoverPriority: [version] } } }",
    ),
    steps: [{ call: {}, times: 60, expect: { status: 200, versions: { v1: 1 } } }],
  },
  {
    name: "a budget of retries and localities that are off change nothing for a few calls",
    config: subsets(
      "{ retryBudget: { percent: 50 }, loadBalancer: { simple: ROUND_ROBIN, localityLbSetting: { enabled: false } } }",
    ),
    steps: [{ call: {}, times: 60, expect: { status: 200, versions: { v1: 1 / 3, v2: 1 / 3, v3: 1 / 3 } } }],
  },
  {
    name: "PASSTHROUGH: a call goes where its host is, whatever endpoints there are",
    config: ({ applications }) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: direct, namespace: default }
spec:
  hosts: [direct.localhost]
  resolution: STATIC
  ports: [{ number: ${applications["ratings-v1"].port}, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: 1 } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: direct, namespace: default }
spec: { host: direct.localhost, trafficPolicy: { loadBalancer: { simple: PASSTHROUGH } } }`,
    steps: [
      {
        call: ({ applications }) => ({ host: `direct.localhost:${applications["ratings-v1"].port}` }),
        expect: { status: 200, upstream: { app: "ratings" } },
      },
    ],
  },
  {
    name: "a Sidecar's egress hosts are all that its workloads see",
    config: sidecarOfClient(`egress: [{ hosts: ["./reviews.default.svc.cluster.local"] }]`),
    steps: [
      { call: {}, expect: { status: 200, upstream: { app: "reviews" } } },
      { call: { host: "ratings:9080" }, expect: { status: 502 } },
      { call: { via: "gateway", host: "ratings:9080" }, expect: { status: 404 } },
    ],
  },
  {
    name: "a Sidecar lets unknown hosts through",
    config: sidecarOfClient("outboundTrafficPolicy: { mode: ALLOW_ANY }"),
    steps: [
      { call: {}, expect: { status: 200, upstream: { app: "reviews" } } },
      {
        call: ({ applications }) => ({ host: `any.localhost:${applications["ratings-v1"].port}` }),
        expect: { status: 200, upstream: { app: "ratings" } },
      },
    ],
  },
  {
    name: "an AuthorizationPolicy denies before another allows",
    config: `${guard("deny", `{ action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }`)}
---${guard("allow", `{ rules: [{ to: [{ operation: { methods: [GET] } }], when: [{ key: "request.headers[x-team]", values: [blue] }] }] }`)}`,
    steps: [
      {
        call: { host: "ratings:9080", path: "/ok", headers: { "x-team": "blue" } },
        expect: { status: 200, upstream: { app: "ratings" } },
      },
      { call: { host: "ratings:9080", path: "/ok" }, expect: { status: 403, body: "RBAC: access denied" } },
      { call: { host: "ratings:9080", path: "/admin/x", headers: { "x-team": "blue" } }, expect: { status: 403 } },
      {
        call: { host: "ratings:9080", path: "/ok", method: "POST", headers: { "x-team": "blue" } },
        expect: { status: 403 },
      },
      { call: {}, expect: { status: 200, upstream: { app: "reviews" } } },
    ],
  },
  {
    name: "an AuthorizationPolicy knows callers by their certificates",
    config: `${guard("clients", `{ rules: [{ from: [{ source: { principals: ["cluster.local/ns/default/sa/client"] } }] }] }`)}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings, namespace: default }
spec: { host: ratings, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }`,
    steps: [{ call: { host: "ratings:9080" }, expect: { status: 200, upstream: { app: "ratings" } } }],
    after: async (mesh) => expect((await mesh.callServer({ path: "/in-plain-text" })).status).toBe(403),
  },
  {
    name: "an unknown host is refused",
    steps: [{ call: { host: "nowhere.example" }, expect: { status: 502 } }],
  },
  {
    name: "a subset without endpoints is unavailable",
    config: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews, subset: v9 } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v9, labels: { version: v9 } }] }`,
    steps: [{ call: {}, expect: { status: 503, body: "no healthy upstream" } }],
  },
];
