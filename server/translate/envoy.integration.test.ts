import { readdirSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildMesh } from "../model/mesh.ts";
import { loadCase, objectsOf, proxyOf } from "./testing/cases.ts";
import {
  envoyBinary,
  freePorts,
  type RunningEnvoy,
  referringBootstrap,
  startEnvoy,
  staticBootstrap,
  validate,
} from "./testing/envoy.ts";
import { translate } from "./translate.ts";

const binary = envoyBinary();
if (!binary && process.env.CI) throw new Error("no Envoy: set LIMPID_ENVOY");
const folder = join(import.meta.dirname, "testdata");
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".in.yaml") ? [file.slice(0, -8)] : []));

describe.skipIf(!binary)("real Envoy (skipped without LIMPID_ENVOY) takes", () => {
  it.each(names)("%s", async (name) => {
    const { proxy, objects } = loadCase(join(folder, `${name}.in.yaml`));
    const resources = translate(buildMesh(objects, 1), { ...proxy, delta: false });
    expect(await validate(binary ?? "", staticBootstrap(resources, 0))).toBe("");
  });

  it.each([true, false])("what refers to the client's own streams (incremental: %s)", async (delta) => {
    const { proxy, objects } = loadCase(join(folder, "own-streams.in.yaml"));
    const resources = translate(buildMesh(objects, 1), { ...proxy, delta });
    expect(await validate(binary ?? "", referringBootstrap(resources, "xds-grpc"))).toBe("");
  });

  it("and names the cluster that the client lacks", async () => {
    const { proxy, objects } = loadCase(join(folder, "own-streams.in.yaml"));
    const resources = translate(buildMesh(objects, 1), { ...proxy, delta: false });
    expect(await validate(binary ?? "", referringBootstrap(resources, "another"))).toContain("xds-grpc");
  });

  it("and would not take what is wrong", async () => {
    const { proxy, objects } = loadCase(join(folder, "bookinfo-sidecar.in.yaml"));
    const bootstrap = staticBootstrap(translate(buildMesh(objects, 1), { ...proxy, delta: false }), 0);
    const [first] = bootstrap.staticResources.listeners[0]?.filterChains[0]?.filters ?? [];
    const [host] = first?.typedConfig.routeConfig?.virtualHosts ?? [];
    if (!host) throw new Error("no virtual host");
    host.domains = [];
    expect(await validate(binary ?? "", bootstrap)).toMatch(/[Dd]omains/);
  });
});

describe.skipIf(!binary)("TLS to a host that only the client names (skipped without LIMPID_ENVOY)", () => {
  it("goes where the server name is, on the port of the ServiceEntry", async () => {
    const first = Promise.withResolvers<Buffer>();
    const server = createTcpServer((socket) => socket.once("data", first.resolve).on("error", () => {}));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const [admin = 0] = await freePorts(1);
    const proxy = proxyOf({
      // Another address than the server's, so that the port is free there.
      id: "sidecar~127.0.0.2~client-v1.default~default.svc.cluster.local",
      delta: false,
      metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: admin },
    });
    const wild = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: default }
spec: { hosts: ["*.localhost"], resolution: NONE, ports: [{ number: ${port}, name: tls, protocol: TLS }] }`;
    const resources = translate(buildMesh(objectsOf(wild), 1), proxy);
    const envoy = await startEnvoy(binary ?? "", staticBootstrap(resources, admin));
    const client = connectTls({ host: "127.0.0.2", port, servername: "any.localhost", rejectUnauthorized: false });
    client.on("error", () => {});
    try {
      expect((await first.promise).toString("latin1")).toContain("any.localhost");
    } finally {
      client.destroy();
      await envoy.stop();
      server.close();
    }
  });
});

/** What a backend got, and who it is. */
interface Seen {
  backend: string;
  path: string;
  headers: IncomingHttpHeaders;
}
interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const rules = (ports: Record<string, number>) => `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: shadow, namespace: default }
spec: { selector: { app: shadow }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: plain, namespace: default }
spec: { selector: { app: shadow }, ports: [{ name: http, port: 80 }] }
---
${["v1", "v2"]
  .map(
    (version) => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-${version}, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${ports[version]} }, labels: { app: reviews, version: ${version} } }
---
`,
  )
  .join("")}
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: shadow-v1, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${ports.shadow} }, labels: { app: shadow, version: v1 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: ${ports.gateway}, name: http, protocol: HTTP }, hosts: ["*.example.com"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: public, namespace: default }
spec:
  hosts: [shop.example.com]
  gateways: [public]
  http: [{ match: [{ uri: { prefix: /reviews } }], route: [{ destination: { host: reviews, subset: v2 } }] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - match: [{ headers: { end-user: { exact: jason } } }]
      route: [{ destination: { host: reviews, subset: v2 } }]
    - match: [{ uri: { prefix: /abort } }]
      fault: { abort: { percentage: { value: 100 }, httpStatus: 418 } }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /delay } }]
      fault: { delay: { percentage: { value: 100 }, fixedDelay: 300ms } }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /old/ } }]
      rewrite: { uri: /new/, authority: other.example.com }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { exact: /exact } }]
      rewrite: { uri: /whole }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { regex: "/regex/[0-9]+" } }]
      rewrite: { uriRegexRewrite: { match: "^/regex/([0-9]+)$", rewrite: '/number/\\1' } }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /redirect } }]
      redirect: { uri: /there, authority: other.example.com, redirectCode: 308 }
    - match: [{ uri: { prefix: /direct } }]
      directResponse: { status: 409, body: { string: "closed" } }
    - match: [{ uri: { prefix: /mirror } }]
      mirror: { host: shadow }
      route: [{ destination: { host: reviews, subset: v1 } }]
    - match: [{ uri: { prefix: /slow } }]
      timeout: 200ms
      retries: { attempts: 0 }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /flaky } }]
      retries: { attempts: 3, retryOn: "503", retryIgnorePreviousHosts: false, backoff: 1ms }
      route: [{ destination: { host: reviews, subset: v1 } }]
    - match: [{ uri: { prefix: /no-retry } }]
      retries: { attempts: 0 }
      route: [{ destination: { host: reviews, subset: v1 } }]
    - match: [{ uri: { prefix: /headers } }]
      headers:
        request: { set: { x-set: "1" }, remove: [x-gone] }
        response: { add: { x-answer: "2" } }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /cors } }]
      corsPolicy: { allowOrigins: [{ exact: "https://example.com" }], allowMethods: [GET], maxAge: 60s }
      route: [{ destination: { host: reviews } }]
    - match: [{ uri: { prefix: /only }, withoutHeaders: { x-skip: {} }, queryParams: { v: { exact: "2" } } }]
      route: [{ destination: { host: reviews, subset: v2 } }]
    - match: [{ uri: { prefix: /no-such-subset } }]
      route: [{ destination: { host: reviews, subset: v9 } }]
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: 80 }
        - { destination: { host: reviews, subset: v2 }, weight: 20 }
`;

describe.skipIf(!binary)("requests through real Envoy (skipped without LIMPID_ENVOY)", () => {
  const seen: Seen[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  let port = 0;
  let gatewayPort = 0;
  let inboundPort = 0;
  let failures = 0;

  const backend = async (name: string): Promise<number> => {
    const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
      const path = incoming.url ?? "";
      seen.push({ backend: name, path, headers: incoming.headers });
      incoming.resume();
      if (path.startsWith("/slow")) return; // answered by the time-out only
      if (path.startsWith("/flaky") || path.startsWith("/no-retry")) response.statusCode = failures-- > 0 ? 503 : 200;
      response.end(name);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    stops.push(() => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    });
    const address = server.address();
    return address && typeof address === "object" ? address.port : 0;
  };

  const call = (path: string, headers: Record<string, string> = {}, to = port, method = "GET"): Promise<Answer> =>
    new Promise((done, fail) => {
      const options = { host: "127.0.0.1", port: to, path, method, headers: { host: "reviews:9080", ...headers } };
      request({ ...options, agent: false }, (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
      })
        .on("error", fail)
        .end();
    });

  beforeAll(async () => {
    const [v1, v2, shadow] = await Promise.all([backend("v1"), backend("v2"), backend("shadow")]);
    const [outbound = 0, inbound = 0, gateway = 0, admin = 0, gatewayAdmin = 0] = await freePorts(5);
    [port, inboundPort, gatewayPort] = [outbound, inbound, gateway];
    const mesh = buildMesh(objectsOf(rules({ v1, v2, shadow, gateway })), 1);
    const sidecar = proxyOf({
      id: "sidecar~127.0.0.1~client-v1.default~default.svc.cluster.local",
      delta: false,
      metadata: {
        INTERCEPTION_MODE: "NONE",
        LABELS: { app: "client", version: "v1" },
        HTTP_PROXY_PORT: outbound,
        INGRESS: { [inbound]: `127.0.0.1:${v1}` },
      },
    });
    const router = proxyOf({
      id: "router~127.0.0.1~ingressgateway.default~default.svc.cluster.local",
      delta: false,
      metadata: { LABELS: { istio: "ingressgateway" } },
    });
    const started: RunningEnvoy[] = await Promise.all([
      startEnvoy(binary ?? "", staticBootstrap(translate(mesh, sidecar), admin)),
      startEnvoy(binary ?? "", staticBootstrap(translate(mesh, router), gatewayAdmin)),
    ]);
    stops.unshift(...started.map((envoy) => envoy.stop));
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  it("splits by weight", async () => {
    const counts: Record<string, number> = { v1: 0, v2: 0 };
    for (let sent = 0; sent < 1000; sent += 50) {
      for (const { body } of await Promise.all(Array.from({ length: 50 }, () => call("/")))) {
        counts[body] = (counts[body] ?? 0) + 1;
      }
    }
    // Five standard deviations of 1,000 draws at 20 % are 63.
    expect(counts.v2).toBeGreaterThan(137);
    expect(counts.v2).toBeLessThan(263);
    expect((counts.v1 ?? 0) + (counts.v2 ?? 0)).toBe(1000);
  });

  it("matches headers, their absence and query parameters", async () => {
    for (let i = 0; i < 10; i++) expect((await call("/", { "end-user": "jason" })).body).toBe("v2");
    for (let i = 0; i < 10; i++) expect((await call("/only?v=2")).body).toBe("v2");
    const skipped = await Promise.all(Array.from({ length: 60 }, () => call("/only?v=2", { "x-skip": "1" })));
    expect(skipped.map((it) => it.body)).toContain("v1");
  });

  it("aborts and delays", async () => {
    const { status, body } = await call("/abort");
    expect([status, body]).toEqual([418, "fault filter abort"]);
    const before = performance.now();
    expect((await call("/delay")).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(295);
  });

  it("rewrites by prefix, whole and by regular expression, and the authority", async () => {
    const last = async (path: string) => {
      await call(path);
      return seen.at(-1);
    };
    const prefix = await last("/old/book?x=1");
    expect([prefix?.path, prefix?.headers.host]).toEqual(["/new/book?x=1", "other.example.com"]);
    expect((await last("/exact"))?.path).toBe("/whole");
    expect((await last("/regex/17"))?.path).toBe("/number/17");
  });

  it("redirects and answers by itself", async () => {
    const { status, headers } = await call("/redirect/me");
    expect([status, headers.location]).toEqual([308, "http://other.example.com/there"]);
    expect(await call("/direct")).toMatchObject({ status: 409, body: "closed" });
  });

  it("mirrors without telling the caller", async () => {
    expect((await call("/mirror/1")).body).toBe("v1");
    await vi.waitFor(() => {
      const copy = seen.find((it) => it.backend === "shadow" && it.path === "/mirror/1");
      expect(copy?.headers.host).toBe("reviews:9080");
    });
  });

  it("times out, and retries by status only where told", async () => {
    expect((await call("/slow")).status).toBe(504);
    failures = 2;
    expect((await call("/flaky")).status).toBe(200);
    expect(seen.filter((it) => it.path === "/flaky")).toHaveLength(3);
    failures = 1;
    expect((await call("/no-retry")).status).toBe(503);
  });

  it("changes headers and answers preflights", async () => {
    const { headers } = await call("/headers", { "x-gone": "1" });
    expect(headers["x-answer"]).toBe("2");
    expect(headers.server).toBe("limpid");
    expect(seen.at(-1)?.headers).toMatchObject({ "x-set": "1" });
    expect(seen.at(-1)?.headers).not.toHaveProperty("x-gone");
    const preflight = { origin: "https://example.com", "access-control-request-method": "GET" };
    const cors = await call("/cors", preflight, port, "OPTIONS");
    expect(cors.headers).toMatchObject({
      "access-control-allow-origin": "https://example.com",
      "access-control-max-age": "60",
    });
    const foreign = await call("/cors", { ...preflight, origin: "https://evil.example" }, port, "GET");
    expect(foreign.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("tells the destination who calls, whatever the caller claims", async () => {
    await call("/", { "x-limpid-peer": "somebody;else" });
    expect(seen.at(-1)?.headers["x-limpid-peer"]).toBe("client-v1;default;client;v1;limpid");
  });

  it("knows a service by each of its names, in proxy form too, and refuses strangers", async () => {
    for (const host of [
      "reviews:9080",
      "reviews.default:9080",
      "reviews.default.svc:9080",
      "reviews.default.svc.cluster.local:9080",
    ]) {
      expect((await call("/", { host })).status).toBe(200);
    }
    expect((await call("http://reviews:9080/headers")).headers["x-answer"]).toBe("2");
    for (const host of ["plain", "plain:80", "plain.default.svc.cluster.local"]) {
      expect((await call("/", { host })).body).toBe("shadow");
    }
    expect((await call("/", { host: "reviews" })).status).toBe(502);
    expect((await call("/", { host: "example.com" })).status).toBe(502);
    expect((await call("/no-such-subset")).status).toBe(503);
  });

  it("passes inbound requests on to the application", async () => {
    expect((await call("/", {}, inboundPort)).body).toBe("v1");
  });

  it("lets in at the gateway what Gateway and VirtualService share, whatever the port in Host", async () => {
    for (const host of ["shop.example.com", `shop.example.com:${gatewayPort}`]) {
      expect((await call("/reviews/1", { host }, gatewayPort)).body).toBe("v2");
    }
    expect(seen.at(-1)?.headers["x-limpid-peer"]).toBe("ingressgateway;default;ingressgateway;latest;limpid");
    expect(seen.at(-1)?.headers["x-forwarded-for"]).toMatch(/^[0-9.]+$/);
    expect((await call("/other", { host: "shop.example.com" }, gatewayPort)).status).toBe(404);
    expect((await call("/reviews", { host: "other.example.com" }, gatewayPort)).status).toBe(404);
  });
});
