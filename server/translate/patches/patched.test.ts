import { toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { ConfigObject } from "../../config/object.ts";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { buildMesh, updateMesh } from "../../model/mesh.ts";
import { registry } from "../../proto/registry.ts";
import type { ProxyResources } from "../resources.ts";
import { objectsOf, proxyOf } from "../testing/cases.ts";
import { translate } from "../translate.ts";

const mesh = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: default }
spec: { selector: { app: db }, ports: [{ name: tcp, port: 3306 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.1.2, labels: { app: reviews } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: db-v1, namespace: default }
spec: { address: 127.0.1.3, labels: { app: db } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: default }
spec: { hosts: ["*"], gateways: [web], http: [{ name: main, route: [{ destination: { host: reviews } }] }] }
`;

const sidecar = proxyOf({
  id: "sidecar~127.0.1.2~reviews-v1.default~default.svc.cluster.local",
  metadata: { NAMESPACE: "default", LABELS: { app: "reviews" }, INTERCEPTION_MODE: "NONE" },
});
const router = proxyOf({
  id: "router~127.0.1.9~gateway.istio-system~istio-system.svc.cluster.local",
  metadata: { NAMESPACE: "istio-system", LABELS: { istio: "ingressgateway" }, PORT_OFFSET: "8000" },
});

const filter = (patches: string, name = "x", more = "", namespace = "default"): ConfigObject[] =>
  objectsOf(`
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "2026-01-01T00:00:00Z" }
spec:
  ${more}
  configPatches:
${patches}`);

const held = (proxy: typeof sidecar, ...filters: ConfigObject[][]): ProxyResources =>
  translate(buildMesh([...objectsOf(mesh), ...filters.flat()], 1), proxy);

interface Shown {
  filterChains: { filters: { name: string; typedConfig: { httpFilters: { name: string }[] } }[] }[];
  listenerFilters?: { name: string }[];
}

function httpFilters(resources: ProxyResources, listener: string): string[] {
  const found = resources.listeners.get(listener);
  if (!found) return [];
  const shown = toJson(ListenerSchema, found, { registry }) as unknown as Shown;
  const short = (name: string) => name.slice(name.lastIndexOf(".") + 1);
  return shown.filterChains.flatMap(({ filters }) =>
    filters.flatMap(({ typedConfig }) => typedConfig.httpFilters.map(({ name }) => short(name))),
  );
}

const outbound = "127.0.1.2_15001";
const at = (subFilter: string, context = "SIDECAR_OUTBOUND") =>
  `{ context: ${context}, listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager, subFilter: { name: ${subFilter} } } } } }`;
const buffer = `{ name: buffer, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 5 } }`;
const http = (operation: string, match: string, value = buffer) => `
    - applyTo: HTTP_FILTER
      match: ${match}
      patch: { operation: ${operation}${operation === "REMOVE" ? "" : `, value: ${value}`} }`;

describe("filters of requests that have a class", () => {
  const added = (filterClass: string, name: string) => `
    - applyTo: HTTP_FILTER
      match: { context: SIDECAR_INBOUND }
      patch: { operation: ADD, filterClass: ${filterClass}, value: ${buffer.replace("buffer", name)} }`;
  const serving = proxyOf({
    id: sidecar.id,
    metadata: {
      NAMESPACE: "default",
      LABELS: { app: "reviews" },
      INTERCEPTION_MODE: "NONE",
      INGRESS: { "9080": "127.0.0.1:19080" },
    },
  });
  const guarded = objectsOf(`
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt, namespace: default }
spec: { jwtRules: [{ issuer: me, jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: gets, namespace: default }
spec: { rules: [{ to: [{ operation: { methods: [GET] } }] }] }
`);
  const inbound = (patches: string, guards: ConfigObject[]) => {
    const resources = held(serving, filter(patches), guards);
    return httpFilters(resources, "127.0.1.2_9080").slice(0, guards.length === 0 ? 3 : 9);
  };

  test("stand behind those that authenticate, behind those that authorize, and before the end, each as they come", () => {
    const all = ["STATS", "AUTHZ", "AUTHN"].flatMap((it) => [added(it, `${it}1`), added(it, `${it}2`)]).join("");
    const classed = ["jwt_authn", "AUTHN1", "AUTHN2", "rbac", "AUTHZ1", "AUTHZ2", "STATS1", "STATS2", "router"];
    expect(inbound(all, guarded)).toEqual(classed);
  });

  test("stand in front where nothing authenticates or authorizes", () => {
    expect(inbound(`${added("AUTHZ", "b")}${added("AUTHN", "a")}`, [])).toEqual(["a", "b", "router"]);
  });
});

describe("filters of requests", () => {
  const before = ["header_mutation", "fault", "cors", "router"];
  const cors = at("envoy.filters.http.cors");
  test.each<[string, string, string[]]>([
    ["ADD", cors, [...before, "buffer"]],
    ["INSERT_FIRST", cors, ["buffer", ...before]],
    ["INSERT_BEFORE", cors, ["header_mutation", "fault", "buffer", "cors", "router"]],
    ["INSERT_AFTER", cors, ["header_mutation", "fault", "cors", "buffer", "router"]],
    ["INSERT_AFTER", "{ context: SIDECAR_OUTBOUND }", [...before, "buffer"]],
    ["INSERT_BEFORE", "{ context: SIDECAR_OUTBOUND }", ["buffer", ...before]],
    ["INSERT_BEFORE", at("missing"), before],
    ["REPLACE", cors, ["header_mutation", "fault", "buffer", "router"]],
    ["REMOVE", cors, ["header_mutation", "fault", "router"]],
    ["REMOVE", at("envoy.filters.http.cors", "SIDECAR_INBOUND"), before],
    ["ADD", "{ context: GATEWAY }", before],
    ["ADD", "{ listener: { portNumber: 15001 } }", [...before, "buffer"]],
    ["ADD", "{ listener: { portNumber: 15002 } }", before],
    ["ADD", "{ listener: { filterChain: { filter: { name: envoy.filters.network.tcp_proxy } } } }", before],
  ])("%s at %s", (operation, match, after) => {
    expect(httpFilters(held(sidecar, filter(http(operation, match))), outbound)).toEqual(after);
  });

  test("the root namespace's come first, then lower priorities, then the older", () => {
    const named = (name: string) => buffer.replace("name: buffer", `name: ${name}`);
    const first = (name: string, more: string, namespace?: string) =>
      filter(http("INSERT_FIRST", "{ context: SIDECAR_OUTBOUND }", named(name)), name, more, namespace);
    const resources = held(
      sidecar,
      first("b", "priority: 1"),
      first("a", "priority: 2"),
      first("c", "priority: -1"),
      first("root", "priority: 100", "istio-system"),
    );
    expect(httpFilters(resources, outbound)).toEqual(["a", "b", "c", "root", ...before]);
  });

  test.each<[string, string, boolean]>([
    ["its own service", "[{ kind: Service, name: reviews }]", true],
    ["one of several", "[{ kind: Service, name: db }, { kind: Service, name: reviews }]", true],
    ["another service", "[{ kind: Service, name: db }]", false],
    ["a gateway", "[{ group: gateway.networking.k8s.io, kind: Gateway, name: web }]", false],
  ])("a target is %s", (_, targets, isMeant) => {
    const patch = http("INSERT_FIRST", "{ context: SIDECAR_OUTBOUND }");
    const patched = held(sidecar, filter(patch, "x", `targetRefs: ${targets}`));
    expect(httpFilters(patched, outbound)).toEqual(isMeant ? ["buffer", ...before] : before);
  });

  test("a gateway's listeners go by the port of its server", () => {
    const match = at("envoy.filters.http.router", "GATEWAY").replace("listener: {", "listener: { portNumber: 80,");
    const patched = held(router, filter(http("INSERT_BEFORE", match), "x", "", "istio-system"));
    expect(httpFilters(patched, "0.0.0.0_80").slice(-2)).toEqual(["buffer", "router"]);
  });
});

describe("routes", () => {
  test("a gateway's table goes by its port; hosts and routes by name", () => {
    const patches = `
    - applyTo: HTTP_ROUTE
      match: { context: GATEWAY, routeConfiguration: { portNumber: 80, vhost: { name: "*:80", route: { name: main } } } }
      patch: { operation: MERGE, value: { route: { timeout: 4s } } }
    - applyTo: HTTP_ROUTE
      match: { context: GATEWAY, routeConfiguration: { portNumber: 81 } }
      patch: { operation: REMOVE }`;
    const { virtualHosts } = held(router, filter(patches, "x", "", "istio-system"));
    const [host] = [...virtualHosts.values()].filter(({ name }) => name === "*:80");
    const [route, ...more] = host?.routes ?? [];
    expect(more).toEqual([]);
    expect(route?.action.case === "route" && route.action.value.timeout?.seconds).toBe(4n);
  });

  test("REMOVE takes a virtual host, REPLACE puts another in its place", () => {
    const patches = (operation: string, value: string) => `
    - applyTo: VIRTUAL_HOST
      match: { context: SIDECAR_OUTBOUND, routeConfiguration: { vhost: { domainName: reviews } } }
      patch: { operation: ${operation}${value} }`;
    const domains = (resources: ProxyResources) => [...resources.virtualHosts.values()].flatMap((it) => it.domains[0]);
    const first = "reviews.default.svc.cluster.local:9080";
    expect(domains(held(sidecar))).toContain(first);
    const named = patches("REMOVE", "").replace("domainName: reviews", `domainName: "${first}"`);
    expect(domains(held(sidecar, filter(named)))).not.toContain(first);
    const other = patches("REPLACE", ", value: { name: other, domains: [other] }").replace(
      "domainName: reviews",
      `domainName: "${first}"`,
    );
    expect(domains(held(sidecar, filter(other)))).toContain("other");
  });
});

describe("clusters and listeners", () => {
  const cluster = (match: string, patch: string) => `
    - applyTo: CLUSTER
      match: { context: SIDECAR_OUTBOUND, cluster: ${match} }
      patch: ${patch}`;

  test("REMOVE by service and subset, and what is added for no place comes once", () => {
    const names = [
      ...held(
        sidecar,
        filter(cluster("{ service: reviews.default.svc.cluster.local }", "{ operation: REMOVE }")),
      ).clusters.keys(),
    ];
    expect(names.filter((name) => name.includes("reviews"))).toEqual([]);
    expect(names.filter((name) => name.includes("db.default"))).toHaveLength(1);
    const added = `
    - applyTo: CLUSTER
      patch: { operation: ADD, value: { name: extra, type: STATIC } }
    - applyTo: LISTENER
      patch: { operation: ADD, value: { name: extra, address: { socket_address: { address: 127.0.0.1, port_value: 7 } } } }`;
    const resources = held(sidecar, filter(added));
    expect(resources.clusters.get("extra")?.name).toBe("extra");
    expect(resources.listeners.get("extra")?.name).toBe("extra");
  });

  test("a transport socket of another name takes the place of the cluster's", () => {
    const socket = `{ name: envoy.transport_sockets.raw_buffer, typed_config: { "@type": type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer } }`;
    const patch = cluster("{ portNumber: 3306 }", `{ operation: MERGE, value: { transport_socket: ${socket} } }`);
    const { clusters } = held(sidecar, filter(patch));
    expect(clusters.get("outbound|3306||db.default.svc.cluster.local")?.transportSocket?.name).toBe(
      "envoy.transport_sockets.raw_buffer",
    );
  });

  test("filter chains, network and listener filters", () => {
    const patches = `
    - applyTo: LISTENER_FILTER
      match: { context: SIDECAR_OUTBOUND, listener: { portNumber: 3306 } }
      patch:
        operation: INSERT_FIRST
        value: { name: inspector, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector } }
    - applyTo: NETWORK_FILTER
      match: { listener: { filterChain: { filter: { name: envoy.filters.network.tcp_proxy } } } }
      patch:
        operation: INSERT_BEFORE
        value: { name: echo, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo } }
    - applyTo: FILTER_CHAIN
      match: { context: SIDECAR_OUTBOUND, listener: { portNumber: 15001 } }
      patch: { operation: REMOVE }`;
    const { listeners } = held(sidecar, filter(patches));
    const [tcp] = [...listeners.values()].filter(({ name }) => name.endsWith("_3306"));
    expect(tcp?.listenerFilters.map(({ name }) => name)).toEqual(["inspector"]);
    expect(tcp?.filterChains.map(({ filters }) => filters.map(({ name }) => name))).toEqual([
      ["echo", "envoy.filters.network.tcp_proxy"],
    ]);
    expect(listeners.get(outbound)?.filterChains).toEqual([]);
  });
});

test("what no patch touches is the same object, and what is patched stays so until something changes", () => {
  const objects = [...objectsOf(mesh), ...filter(http("ADD", "{ context: SIDECAR_INBOUND }"))];
  const plain = translate(buildMesh(objectsOf(mesh), 1), sidecar);
  const first = buildMesh(objects, 1);
  const one = translate(first, sidecar);
  expect(one.clusters).toEqual(plain.clusters);
  const elsewhere = objectsOf(`
apiVersion: v1
kind: Service
metadata: { name: other, namespace: default }
spec: { ports: [{ name: http, port: 80 }] }`);
  const [service] = elsewhere;
  if (!service) throw new Error("no service");
  const key = { kind: "Service", namespace: "default", name: "other" };
  const two = translate(updateMesh(first, [{ type: "ADDED", key, after: service, before: undefined }], 2), sidecar);
  for (const [name, listener] of one.listeners) expect(two.listeners.get(name), name).toBe(listener);
  for (const [name, cluster] of one.clusters) expect(two.clusters.get(name), name).toBe(cluster);
});
