import type { Scenario } from "../scenario.ts";
import { entryTo, sidecarOfClient, subsets } from "./documents.ts";

export const registry: Scenario[] = [
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
