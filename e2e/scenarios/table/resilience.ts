import { expect } from "vitest";
import type { Answer } from "../harness/call.ts";
import type { Scenario } from "../scenario.ts";
import { reviews, subsets, to } from "./documents.ts";

export const resilience: Scenario[] = [
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
];
