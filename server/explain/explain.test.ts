import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { beforeAll, describe, expect, it } from "vitest";
import type { Check, Explanation } from "../contract/index.ts";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RBAC_Action, RBACSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { HttpConnectionManagerSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { DownstreamTlsContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";
import { outboundListener } from "./listeners.ts";
import { judgeRbac } from "./rbac.ts";
import { parseExplainRequest } from "./request.ts";
import { explainedMesh, sidecar } from "./testing/mesh.ts";

const yaml = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: mysql, namespace: default }
spec: { selector: { app: mysql }, ports: [{ name: tcp, port: 3306 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: page, namespace: default }
spec: { address: 127.0.1.1, labels: { app: page }, serviceAccount: page }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.1.3, labels: { app: reviews, version: v1 }, serviceAccount: reviews }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v2, namespace: default }
spec: { address: 127.0.1.4, labels: { app: reviews, version: v2 }, serviceAccount: reviews }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - name: jason
      match: [{ headers: { end-user: { exact: jason } }, uri: { prefix: /reviews } }]
      fault: { abort: { percentage: { value: 100 }, httpStatus: 555 } }
      route: [{ destination: { host: reviews, subset: v2 } }]
    - name: old
      match: [{ uri: { exact: /old } }]
      redirect: { uri: /new }
    - name: rest
      timeout: 2s
      retries: { attempts: 2, perTryTimeout: 500ms, retryOn: 5xx }
      mirror: { host: reviews, subset: v2 }
      rewrite: { uri: /inside/ }
      route:
        - { destination: { host: reviews, subset: v1 }, weight: 75 }
        - { destination: { host: reviews, subset: v2 }, weight: 25 }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  trafficPolicy: { tls: { mode: ISTIO_MUTUAL } }
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  action: ALLOW
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/other] } }]
    - from: [{ source: { principals: [cluster.local/ns/default/sa/page] } }]
      to: [{ operation: { methods: [GET], paths: [/inside*] } }]
`;

const { ask } = explainedMesh(yaml, [
  sidecar("page", "page", "127.0.1.1", "page"),
  sidecar("reviews-v1", "reviews", "127.0.1.3", "reviews", "v1"),
  sidecar("reviews-v2", "reviews", "127.0.1.4", "reviews", "v2"),
]);

const brief = (checks: readonly Check[]) =>
  checks.map(({ subject, name, operator, value, has, ok }) => [subject, name, operator, value, has, ok]);

describe("a request that is sent on", () => {
  let answer: Pick<Explanation, "source" | "destinations">;
  beforeAll(async () => {
    answer = await ask("http://reviews:9080/reviews/0", { headers: "end-user: ana" });
  });

  it("comes to the HTTP proxy's listener and the service's virtual host", () => {
    const { listener, virtualHost, routeConfiguration } = answer.source;
    expect(listener?.by).toBe("http-proxy");
    expect(routeConfiguration).toBe("http_proxy");
    expect(virtualHost).toMatchObject({ domain: "reviews:9080" });
  });

  it("says of every rule why it was passed or taken, and where it stands", () => {
    const { routes } = answer.source;
    expect(routes.map(({ name, verdict, share }) => [name, verdict, share])).toEqual([
      ["jason", "passed", 0],
      ["old", "passed", 0],
      ["rest", "taken", 1],
    ]);
    expect(brief(routes[0]?.checks ?? [])).toEqual([
      ["path", "", "prefix", "/reviews", "/reviews/0", true],
      ["header", "end-user", "exact", "jason", "ana", false],
    ]);
    expect(routes[2]?.origin).toEqual({
      kind: "VirtualService",
      namespace: "default",
      name: "reviews",
      rule: "http[2]",
      line: null,
    });
  });

  it("tells the shares, what applies on the way, and how endpoints are called", () => {
    const { forward, clusters, end } = answer.source;
    expect(end.kind).toBe("forwarded");
    expect(forward).toMatchObject({
      timeoutMs: 2000,
      retry: { attempts: 2, perTryTimeoutMs: 500 },
      mirrors: [{ cluster: "outbound|9080|v2|reviews.default.svc.cluster.local", share: 1 }],
    });
    expect(clusters.map(({ subset, share, tls, origin }) => [subset, share, tls, origin?.rule])).toEqual([
      ["v1", 0.75, "mutual", "subsets[v1]"],
      ["v2", 0.25, "mutual", "subsets[v2]"],
    ]);
    expect(clusters[0]?.endpoints.map(({ address, workload, healthy }) => [address, workload, healthy])).toEqual([
      ["127.0.1.3:9080", "default/reviews-v1", true],
    ]);
  });

  it("goes on at each destination: its chain, its PeerAuthentication, its policies", () => {
    expect(answer.destinations.map(({ side, mirrored }) => [side.proxy.name, side.end.kind, mirrored])).toEqual([
      ["reviews-v1", "forwarded", false],
      ["reviews-v2", "forwarded", false],
      ["reviews-v2", "forwarded", true],
    ]);
    const [first] = answer.destinations;
    expect(first?.peerAuthentication).toMatchObject({ mode: "STRICT", origin: { name: "strict", rule: "mtls" } });
    expect(first?.identity).toBe("spiffe://cluster.local/ns/default/sa/page");
    // The path as the rewrite left it is what the policy sees.
    expect(first?.side.request.path).toBe("/inside/reviews/0");
    const rbac = first?.side.filters.find(({ kind }) => kind === "rbac")?.rbac;
    expect(rbac?.policies.map(({ matched, origin }) => [matched, origin?.rule])).toEqual([
      [false, "rules[0]"],
      [true, "rules[1]"],
    ]);
  });
});

it("says which rules did not let a request in", async () => {
  const { destinations } = await ask("http://reviews:9080/reviews/0", { method: "POST" });
  const [first] = destinations;
  expect(first?.side.end).toMatchObject({
    kind: "denied",
    status: 403,
    details: "rbac_access_denied_matched_policy[none]",
  });
  const rbac = first?.side.filters.find(({ kind }) => kind === "rbac")?.rbac;
  expect(rbac).toMatchObject({ action: "ALLOW", allowed: false });
  expect(rbac?.policies[1]?.who.every(({ ok }) => ok)).toBe(true);
  expect(rbac?.policies[1]?.what.every(({ ok }) => ok)).toBe(false);
});

it("ends where a fault or a redirect ends it", async () => {
  const faulty = await ask("http://reviews:9080/reviews/0", { headers: "end-user: jason" });
  expect(faulty.source.end).toMatchObject({ kind: "aborted", status: 555, details: "fault_filter_abort" });
  expect(faulty.source.routes.map(({ verdict }) => verdict)).toEqual(["taken", "not-reached", "not-reached"]);
  const moved = await ask("http://reviews:9080/old?x=1");
  expect(moved.source.end).toMatchObject({ kind: "redirected", status: 301, location: "http://reviews:9080/new?x=1" });
  expect(faulty.destinations).toEqual([]);
});

it("tells a host that nobody knows, and a connection that is no HTTP", async () => {
  const unknown = await ask("http://nobody/");
  expect(unknown.source.virtualHost?.domain).toBe("*");
  expect(unknown.source.end).toMatchObject({ kind: "answered", status: 502 });
  const tcp = await ask("tcp://mysql:3306");
  expect(tcp.source.listener?.by).toBe("port");
  expect(tcp.source.clusters[0]?.name).toBe("outbound|3306||mysql.default.svc.cluster.local");
});

it("goes by the port where calls are intercepted, and in by the listener for all", async () => {
  const { source, destinations } = await ask("http://reviews:9080/reviews/0", { intercepted: true });
  expect(source.listener).toMatchObject({ name: "0.0.0.0_9080", by: "port" });
  expect(source.routes.map(({ verdict }) => verdict)).toEqual(["passed", "passed", "taken"]);
  expect(source.end.kind).toBe("forwarded");
  const [first] = destinations;
  expect(first?.side.listener).toMatchObject({ name: "virtualInbound", by: "original-destination" });
  expect(first?.side.end.kind).toBe("forwarded");
  const tcp = await ask("tcp://mysql:3306", { intercepted: true });
  expect(tcp.source.clusters[0]?.name).toBe("outbound|3306||mysql.default.svc.cluster.local");
});

it("refuses what is no request", () => {
  const parse =
    (url: string, headers = "") =>
    () =>
      parseExplainRequest({ url, method: "GET", headers, identity: "" });
  expect(parse("ftp://x/")).toThrow("url: ftp:// is none of");
  expect(parse("tcp://x")).toThrow("needs a port");
  expect(parse("http://x/", "no colon")).toThrow('headers: "no colon" is no');
});

describe("what other filters find out", () => {
  const subject: RbacSubject = {
    connection: { remoteAddress: "10.0.0.1", localAddress: "10.0.0.2", localPort: 80, tls: undefined },
    serverName: "",
    remoteAddress: "10.0.0.1",
    request: { method: "GET", path: "/a", authority: "x", scheme: "http", headers: [] },
  };
  const claim = {
    identifier: {
      case: "metadata" as const,
      value: { filter: "jwt", path: [{ segment: { case: "key" as const, value: "iss" } }] },
    },
  };
  const path = (exact: string) => ({
    rule: {
      case: "urlPath" as const,
      value: { rule: { case: "path" as const, value: { matchPattern: { case: "exact" as const, value: exact } } } },
    },
  });
  const any = { identifier: { case: "any" as const, value: true } };
  const rules = (
    action: RBAC_Action,
    policies: Record<string, { permissions: ReturnType<typeof path>[]; principals: (typeof claim | typeof any)[] }>,
  ) => create(RBACSchema, { action, policies });

  it.each([
    [
      "open where the path is the policy's",
      RBAC_Action.ALLOW,
      { a: { permissions: [path("/a")], principals: [claim] } },
      null,
    ],
    ["refused where no path is", RBAC_Action.ALLOW, { a: { permissions: [path("/b")], principals: [claim] } }, false],
    [
      "let in by another policy, whatever the token says",
      RBAC_Action.ALLOW,
      { a: { permissions: [path("/a")], principals: [claim] }, b: { permissions: [path("/a")], principals: [any] } },
      true,
    ],
    ["open for one that denies", RBAC_Action.DENY, { a: { permissions: [path("/a")], principals: [claim] } }, null],
  ])("is %s", (_what, action, policies, allowed) => {
    expect(judgeRbac(rules(action, policies), subject, false).rbac.allowed).toBe(allowed);
  });
});

describe("a gateway whose port somebody else has mapped", () => {
  const manager = anyPack(HttpConnectionManagerSchema, create(HttpConnectionManagerSchema, { statPrefix: "x" }));
  const tls = {
    name: "tls",
    configType: {
      case: "typedConfig" as const,
      value: anyPack(DownstreamTlsContextSchema, create(DownstreamTlsContextSchema)),
    },
  };
  const listener = (port: number, secure: boolean) =>
    create(ListenerSchema, {
      name: `0.0.0.0_${port}`,
      address: {
        address: {
          case: "socketAddress",
          value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: port } },
        },
      },
      filterChains: [
        {
          filters: [{ name: "http", configType: { case: "typedConfig", value: manager } }],
          ...(secure && { transportSocket: tls }),
        },
      ],
    });
  const holding = (...listeners: Listener[]): Holdings => ({ ...holdingsOf([]), listeners });
  const found = (holdings: Holdings, url: string) =>
    outboundListener(holdings, parseExplainRequest({ url, method: "GET", headers: "", identity: "" }))?.listener.name;

  it("is asked by the listener that takes such a connection", () => {
    const both = holding(listener(8080, false), listener(8443, true));
    expect(found(both, "http://shop.test/")).toBe("0.0.0.0_8080");
    expect(found(both, "https://shop.test/")).toBe("0.0.0.0_8443");
    expect(found(both, "http://shop.test:8443/")).toBe("0.0.0.0_8443");
    // Of two nobody knows.
    expect(found(holding(listener(8080, false), listener(8081, false)), "http://shop.test/")).toBeUndefined();
  });
});
