import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call as callHttp1 } from "./harness/call.ts";
import { callHttp2, type Http2Application, startHttp2Application } from "./harness/http2.ts";
import { addresses, ScenarioMesh } from "./harness/mesh.ts";
import { freePorts } from "./harness/ports.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";
import { until } from "./harness/until.ts";

// HTTP/2 and gRPC by Istio's YAML, through a client's proxy, a server's and a gateway, on either kind of them.

const kinds: ProxyKind[] = ["limpid sidecar", "Envoy"];

const service = (name: string, port: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: ${port}, port: 9090 }] }`;

const workload = (app: string, version: string, port: string, at: number, address = "127.0.0.1") => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${app}-${version}, namespace: default }
spec: { address: ${address}, ports: { ${port}: ${at} }, labels: { app: ${app}, version: ${version} } }`;

const route = (http: string, more = "") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: calls, namespace: default }
spec: { hosts: [calls], ${more} http: [{ ${http} }] }`;

const policy = (host: string, trafficPolicy: string, subsets = "") => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${host}, namespace: default }
spec: { host: ${host}, trafficPolicy: ${trafficPolicy}${subsets} }`;

const plain = "{ loadBalancer: { simple: ROUND_ROBIN } }";
const versions =
  ", subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }, { name: none, labels: { version: none } }]";
const to = (subset: string, weight = 100) => `{ destination: { host: calls, subset: ${subset} }, weight: ${weight} }`;

for (const kind of kinds) {
  describe.skipIf(kind === "Envoy" && envoyMissing)(`HTTP/2 and gRPC on ${kind}${whySkipped(kind)}`, () => {
    let mesh: ScenarioMesh;
    let v1: Http2Application;
    let v2: Http2Application;

    beforeAll(async () => {
      [v1, v2] = [await startHttp2Application("v1"), await startHttp2Application("v2")];
      mesh = await ScenarioMesh.start(kind);
    });
    afterAll(async () => {
      await mesh?.close();
      v1.close();
      v2.close();
    });
    beforeEach(() => {
      v1.reset();
      v2.reset();
    });

    const outbound = () => ({ address: addresses.client, port: mesh.ports.outbound });
    const call = (headers?: Record<string, string>, host = "calls:9090") => callHttp2(outbound(), host, headers);
    /** A service of gRPC in two versions, and what rules it. */
    const calls = (...config: string[]) =>
      mesh.reset(
        [service("calls", "grpc"), workload("calls", "v1", "grpc", v1.port), workload("calls", "v2", "grpc", v2.port)]
          .concat(config)
          .join("\n---\n"),
      );

    it("a call goes through, with its status in trailers, and is logged with both", async () => {
      await calls();
      mesh.collector.logs.length = 0;
      const answer = await call({ ":path": "/shop.Calls/Logged" });
      expect([answer.status, answer.grpcStatus, answer.headers["content-type"]]).toEqual([
        200,
        "0",
        "application/grpc",
      ]);
      expect(answer.body).toMatch(/^HTTP\/2 v[12]$/);
      const entry = await until(() => {
        const found = mesh.collector.logs.find(({ entry }) => entry.request?.path === "/shop.Calls/Logged")?.entry;
        if (found === undefined) throw new Error("not logged");
        return found;
      });
      expect(entry.response?.responseTrailers["grpc-status"]).toBe("0");
      // ALS has 3 for HTTP/2.
      expect(entry.protocolVersion).toBe(3);
    });

    it("weights, and a header that picks the version", async () => {
      await calls(
        policy("calls", plain, versions),
        route(`match: [{ headers: { x-to: { exact: v2 } } }], route: [${to("v2")}] }, { route: [${to("v1")}]`),
      );
      expect((await call({ "x-to": "v2" })).body).toBe("HTTP/2 v2");
      for (let i = 0; i < 5; i++) expect((await call()).body).toBe("HTTP/2 v1");
    });

    it.each<[string, number]>([
      ["cancelled", 1],
      ["deadline-exceeded", 4],
      ["resource-exhausted", 8],
      ["internal", 13],
      ["unavailable", 14],
    ])("retries on %s, and on no other status", async (retryOn, status) => {
      await calls(
        policy("calls", plain, versions),
        route(`retries: { attempts: 2, retryOn: ${retryOn} }, route: [${to("v1")}]`),
      );
      v1.answerWith(status, status);
      expect([(await call()).grpcStatus, v1.requests.length]).toEqual(["0", 3]);
      v1.answerWith(status, status, status);
      expect((await call()).grpcStatus).toBe(String(status));
      v1.reset();
      v1.answerWith(3);
      expect([(await call()).grpcStatus, v1.requests.length]).toEqual(["3", 1]);
    });

    it("an abort with a status of gRPC", async () => {
      await calls(
        policy("calls", plain, versions),
        route(`fault: { abort: { grpcStatus: UNAVAILABLE, percentage: { value: 100 } } }, route: [${to("v1")}]`),
      );
      const { status, grpcStatus, headers } = await call();
      expect([status, grpcStatus, headers["grpc-message"]]).toEqual([200, "14", "fault filter abort"]);
      expect(v1.requests).toEqual([]);
    });

    it("what a proxy answers itself has gRPC's form: no endpoint, and too late", async () => {
      await calls(policy("calls", plain, versions), route(`route: [${to("none")}]`));
      expect(await call()).toMatchObject({ status: 200, grpcStatus: "14", body: "" });
      await calls(policy("calls", plain, versions), route(`timeout: 0.2s, route: [${to("v1")}]`));
      v1.setDelay(5_000);
      expect(await call()).toMatchObject({ status: 200, grpcStatus: "14", body: "" });
    });

    it("outliers by errors of gRPC: what fails is left alone", async () => {
      await calls(
        policy(
          "calls",
          "{ outlierDetection: { consecutive5xxErrors: 2, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100 } }",
        ),
      );
      v1.answerWith(...Array.from({ length: 200 }, () => 14));
      await until(async () => {
        for (let i = 0; i < 6; i++) expect((await call()).grpcStatus).toBe("0");
      });
    });

    it("outliers by a status that the rule names an error", async () => {
      const names = (codes: string) =>
        `{ outlierDetection: { consecutive5xxErrors: 2, outlierDetectionHttpErrorCodes: [${codes}], interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 100 } }`;
      await mesh.reset(policy("reviews", names("429")));
      mesh.applications["reviews-v3"].setStatus(429);
      await until(async () => {
        const statuses = (await mesh.callMany(20, {})).map(({ status }) => status);
        expect(new Set(statuses)).toEqual(new Set([200]));
      });
    });

    it("HTTP/1 in, HTTP/2 out, where the port or the rule says so", async () => {
      for (const [port, rule] of [
        ["http2", plain],
        ["http", "{ connectionPool: { http: { h2UpgradePolicy: UPGRADE } } }"],
      ] as const) {
        await mesh.reset(
          [service("two", port), workload("two", "v1", port, v1.port), policy("two", rule)].join("\n---\n"),
        );
        const answer = await mesh.call({ host: "two:9090", path: "/p" });
        expect([port, answer.status, answer.body]).toEqual([port, 200, "HTTP/2 v1"]);
      }
    });

    it("useClientProtocol: out as it came in", async () => {
      const rule = "{ connectionPool: { http: { useClientProtocol: true } } }";
      await mesh.reset(
        [
          [service("two", "http"), workload("two", "v1", "http", v1.port), policy("two", rule)],
          [
            service("one", "http"),
            workload("one", "v1", "http", mesh.applications["reviews-v1"].port),
            policy("one", rule),
          ],
        ]
          .flat()
          .join("\n---\n"),
      );
      expect((await call({}, "two:9090")).body).toBe("HTTP/2 v1");
      expect((await mesh.call({ host: "one:9090" })).status).toBe(200);
      // An application of the other version doesn't understand it.
      expect((await mesh.call({ host: "two:9090" })).status).toBe(502);
    });

    it("a limit of streams that run at once: what is past it is told so", async () => {
      await calls(
        policy("calls", "{ connectionPool: { http: { http2MaxRequests: 1 } } }", versions),
        route(`retries: { attempts: 0 }, route: [${to("v1")}]`),
      );
      v1.setDelay(500);
      const answers = await Promise.all([call(), call(), call()]);
      expect(answers.map(({ grpcStatus }) => grpcStatus).sort()).toEqual(["0", "14", "14"]);
    });

    it("by the gateway, from HTTP/2 outside", async () => {
      await calls(
        policy("calls", plain, versions),
        route(`route: [${to("v2")}]`, "gateways: [edge],").replace("hosts: [calls]", "hosts: [calls.example]"),
      );
      const answer = await callHttp2({ address: addresses.gateway, port: mesh.ports.gateway }, "calls.example");
      expect([answer.grpcStatus, answer.body]).toEqual(["0", "HTTP/2 v2"]);
    });

    it("gRPC-Web from a browser, at a gateway's port that is for it", async () => {
      const [port = 0] = await freePorts(1, addresses.gateway);
      await calls(
        policy("calls", plain, versions),
        route(`route: [${to("v1")}]`, "gateways: [web],").replace("hosts: [calls]", "hosts: [calls.example]"),
        `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: ${port}, name: grpc-web, protocol: GRPC-WEB }, hosts: ["*"] }]`,
      );
      const answer = await callHttp1({
        address: addresses.gateway,
        port,
        host: "calls.example",
        method: "POST",
        path: "/shop.Calls/Unary",
        headers: { "content-type": "application/grpc-web" },
        body: "\0\0\0\0\0",
      });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/grpc-web+proto"]);
      // The last message is of trailers.
      expect(answer.body).toMatch(/^HTTP\/2 v1[\s\S]*grpc-status:0\r\n$/);
    });

    it("over mutual TLS to a server's proxy, and from there in plain text", async () => {
      await mesh.reset(
        [service("behind", "http2"), workload("behind", "v1", "http2", mesh.ports.http2, addresses.ratings)].join(
          "\n---\n",
        ),
      );
      // Until the certificate of a port that is new has come, what connects is closed.
      await until(async () => {
        const answer = await call({ ":path": "/deep", "content-type": "text/plain" }, "behind:9090");
        expect([answer.status, answer.body]).toEqual([200, "HTTP/2.0 /deep"]);
      });
    });
  });
}
