import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { buildMesh, type Mesh, updateMesh } from "../model/mesh.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { createSnapshot, findInconsistencies } from "../xds/snapshot.ts";
import { envoyMissing, startEnvoy } from "../xds/testing/envoy.ts";
import { objectsOf, proxyOf } from "./testing/cases.ts";
import { freePorts } from "./testing/envoy.ts";
import { translate } from "./translate.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const sidecarId = "sidecar~127.0.0.1~client-v1.default~default.svc.cluster.local";

const service = (name: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
---`;
const workload = (app: string, version: string, port: number): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${app}-${version}, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${port} }, labels: { app: ${app}, version: ${version} } }
---`;
const rule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---`;
const split = (v1: number): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: ${v1} }
        - { destination: { host: reviews, subset: v2 }, weight: ${100 - v1} }
`;

const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
---`;
const entrance = (host: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: entrance, namespace: default }
spec: { hosts: [${host}], gateways: [public], http: [{ route: [{ destination: { host: reviews } }] }] }
`;

/** Its host is what a service's short name would be. */
const claim = (port: number): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: claim, namespace: default }
spec:
  hosts: [reviews.default]
  resolution: STATIC
  ports: [{ number: 9080, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${port} } }]
`;

/** One real Envoy on one real ADS server, whose snapshots are translated from a mesh that a test edits. */
async function setUp(api: "DELTA_GRPC" | "GRPC", yaml: string, id = sidecarId) {
  const [port = 0] = await freePorts(1);
  const metadata = id.startsWith("router")
    ? { LABELS: { istio: "ingressgateway" }, PORT_OFFSET: port - 80 }
    : { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: port, LABELS: { app: "client", version: "v1" } };
  const proxy = proxyOf({ id, metadata, delta: api === "DELTA_GRPC" });
  let mesh: Mesh = buildMesh(objectsOf(yaml), 1);
  const pushes: string[] = [];
  const refused: string[] = [];
  let settled = 0;
  const snapshot = () => {
    const made = createSnapshot(mesh.revision, translate(mesh, proxy));
    expect(findInconsistencies(made)).toEqual([]);
    return made;
  };
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    events: {
      connected: (session) => session.publish(snapshot()),
      disconnected: () => {},
      pushed: (_, typeUrl, push) => {
        const type = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
        pushes.push(...push.resources.map((it) => `${type} ${it.name}`), ...push.removed.map((it) => `-${type} ${it}`));
      },
      nacked: (_, typeUrl, names, message) => refused.push(`${typeUrl} ${[...names.keys()].join()} ${message}`),
      settled: (_, revision) => {
        settled = revision;
      },
    },
  });
  const xdsPort = await server.start();
  closers.push(() => server.stop(200));
  const envoy = await startEnvoy({ id, xdsPort, api, metadata, staticClusters: ["limpid-collector"] });
  closers.push(() => envoy.stop());
  const settle = () => vi.waitFor(() => expect(settled).toBe(mesh.revision), { timeout: 10_000, interval: 10 });
  await settle();
  return {
    pushes,
    refused,
    call: (host: string) => call(port, host),
    /** Puts and deletes at once, and waits until Envoy has answered for all of it. */
    async edit(put: string, remove: Pick<ConfigObject, "kind" | "metadata">[] = []) {
      pushes.length = 0;
      const key = ({ kind, metadata: { namespace, name } }: Pick<ConfigObject, "kind" | "metadata">) => ({
        kind,
        namespace,
        name,
      });
      const puts = objectsOf(put).map((after) => ({ type: "MODIFIED" as const, key: key(after), after }));
      const deletes = remove.map((object) => ({ type: "DELETED" as const, key: key(object) }));
      mesh = updateMesh(mesh, [...puts, ...deletes], mesh.revision + 1);
      for (const session of server.sessions()) session.publish(snapshot());
      await settle();
    },
  };
}

const call = (port: number, host: string): Promise<string> =>
  new Promise((done, fail) => {
    request({ host: "127.0.0.1", port, headers: { host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => done(`${response.statusCode} ${body}`));
    })
      .on("error", fail)
      .end();
  });

async function backend(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const reviewsHost = "http_proxy/reviews.default.svc.cluster.local:9080";
const eventually = (mesh: { call(host: string): Promise<string> }, host: string, answer: string) =>
  vi.waitFor(async () => expect(await mesh.call(host)).toBe(answer), { timeout: 10_000, interval: 20 });

describe.skipIf(envoyMissing)("translated resources over ADS to real Envoy (skipped without LIMPID_ENVOY)", () => {
  it("travel as one virtual host when a weight changes, and come and go with their service", async () => {
    const [v1, v2] = [await backend("v1"), await backend("v2")];
    const start =
      service("reviews") + workload("reviews", "v1", v1) + workload("reviews", "v2", v2) + rule + split(100);
    const mesh = await setUp("DELTA_GRPC", start);
    await eventually(mesh, "reviews:9080", "200 v1");

    await mesh.edit(split(0));
    expect(mesh.pushes).toEqual([`VirtualHost ${reviewsHost}`]);
    await eventually(mesh, "reviews:9080", "200 v2");

    await mesh.edit(service("ratings") + workload("ratings", "v1", v1));
    await eventually(mesh, "ratings:9080", "200 v1");
    expect(mesh.pushes).toEqual([
      "Cluster outbound|9080||ratings.default.svc.cluster.local",
      "ClusterLoadAssignment outbound|9080||ratings.default.svc.cluster.local",
      "VirtualHost http_proxy/ratings.default.svc.cluster.local:9080",
    ]);

    await mesh.edit("", [{ kind: "Service", metadata: { namespace: "default", name: "ratings" } }]);
    await eventually(mesh, "ratings:9080", "502 ");
    expect(await mesh.call("reviews:9080")).toBe("200 v2");
    expect(mesh.refused).toEqual([]);
  });

  it("brings subsets and the rule that names them together", async () => {
    const [v1, v2] = [await backend("v1"), await backend("v2")];
    const mesh = await setUp(
      "DELTA_GRPC",
      service("reviews") + workload("reviews", "v1", v1) + workload("reviews", "v2", v2),
    );
    await mesh.edit(rule + split(0));
    await eventually(mesh, "reviews:9080", "200 v2");
    expect(mesh.pushes.filter((it) => it.startsWith("Listener") || it.startsWith("RouteConfiguration"))).toEqual([]);
    expect(mesh.refused).toEqual([]);
  });

  it("start with an empty mesh, too", async () => {
    const mesh = await setUp("DELTA_GRPC", "");
    await eventually(mesh, "reviews:9080", "502 ");
    await mesh.edit(service("reviews") + workload("reviews", "v1", await backend("v1")));
    await eventually(mesh, "reviews:9080", "200 v1");
    expect(mesh.refused).toEqual([]);
  });

  it("let a gateway's hosts come and go, with and without one for all", async () => {
    const v1 = await backend("v1");
    const router = "router~127.0.0.1~ingressgateway.default~default.svc.cluster.local";
    const start = service("reviews") + workload("reviews", "v1", v1) + gateway;
    const mesh = await setUp("DELTA_GRPC", start, router);
    await eventually(mesh, "a.example.com", "404 ");
    await mesh.edit(entrance('"*"'));
    await eventually(mesh, "a.example.com", "200 v1");
    await mesh.edit(entrance("a.example.com"));
    await eventually(mesh, "b.example.com", "404 ");
    expect(await mesh.call("a.example.com")).toBe("200 v1");
    await mesh.edit("", [{ kind: "VirtualService", metadata: { namespace: "default", name: "entrance" } }]);
    await eventually(mesh, "a.example.com", "404 ");
    expect(mesh.refused).toEqual([]);
  });

  it("give a name back to the service whose short name it is", async () => {
    const [v1, v2] = [await backend("v1"), await backend("v2")];
    const mesh = await setUp("DELTA_GRPC", service("reviews") + workload("reviews", "v1", v1) + claim(v2));
    await eventually(mesh, "reviews.default:9080", "200 v2");
    await mesh.edit("", [{ kind: "ServiceEntry", metadata: { namespace: "default", name: "claim" } }]);
    await eventually(mesh, "reviews.default:9080", "200 v1");
    await mesh.edit(claim(v2));
    await eventually(mesh, "reviews.default:9080", "200 v2");
    expect(mesh.refused).toEqual([]);
  });

  it("work on the state-of-the-world protocol", async () => {
    const [v1, v2] = [await backend("v1"), await backend("v2")];
    const start =
      service("reviews") + workload("reviews", "v1", v1) + workload("reviews", "v2", v2) + rule + split(100);
    const mesh = await setUp("GRPC", start);
    await eventually(mesh, "reviews:9080", "200 v1");
    await mesh.edit(split(0));
    await eventually(mesh, "reviews:9080", "200 v2");
    expect(mesh.pushes).toEqual(["RouteConfiguration http_proxy"]);
    expect(mesh.refused).toEqual([]);
  });
});
