import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "./harness/certificates.ts";
import { Cleanups } from "./harness/cleanups.ts";
import { addresses, ScenarioMesh } from "./harness/mesh.ts";
import { freePorts } from "./harness/ports.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";
import {
  ask,
  hangUp,
  startEcho,
  startFirstLine,
  startHttps,
  startTls,
  startTunnels,
  talk,
  talkTls,
} from "./harness/tcp.ts";
import { until } from "./harness/until.ts";
import { expectShares } from "./scenario.ts";

const kinds: ProxyKind[] = ["limpid sidecar", "Envoy"];

for (const kind of kinds) {
  describe.skipIf(kind === "Envoy" && envoyMissing)(`TCP and TLS on ${kind}${whySkipped(kind)}`, () => {
    const cleanups = new Cleanups();
    let mesh: ScenarioMesh;
    let authority: Authority;
    /** A port of TCP services, and one of TLS services, as clients call them. */
    let tcp = 0;
    let tls = 0;
    const client = addresses.client;

    beforeAll(async () => {
      mesh = await ScenarioMesh.start(kind);
      cleanups.add(() => mesh.close());
      authority = await createAuthority();
      cleanups.add(() => authority.remove());
      [tcp = 0, tls = 0] = await freePorts(2, client);
    });
    afterAll(() => cleanups.run());

    const service = (name: string, port: number, protocol: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: ${protocol}, port: ${port} }] }`;
    const workload = (app: string, version: string, port: number, protocol = "tcp", address = "127.0.0.1") => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${app}-${version}, namespace: default }
spec: { address: ${address}, ports: { ${protocol}: ${port} }, labels: { app: ${app}, version: ${version} } }`;
    const external = (host: string, port: number, protocol: string, endpoint: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${host.replace("*.", "any-")}, namespace: default }
spec:
  hosts: ["${host}"]
  ports: [{ number: ${port}, name: ${protocol.toLowerCase()}, protocol: ${protocol} }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { ${protocol.toLowerCase()}: ${endpoint} } }]`;
    const opened = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
      const application = await starting;
      cleanups.add(() => application.close());
      return application;
    };

    it("goes through a tunnel that the destination opens", async () => {
      const asked: string[] = [];
      const [proxy, behind] = [await opened(startTunnels(asked)), await opened(startEcho("behind"))];
      await mesh.reset(
        service("egress", tcp, "tcp"),
        workload("egress", "v1", proxy.port),
        `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: egress, namespace: default }
spec:
  host: egress
  trafficPolicy: { tunnel: { protocol: CONNECT, targetHost: behind.example, targetPort: ${behind.port} } }`,
      );
      const text = await until(async () => await said(ask(client, tcp, "x", "behind\nx".length)));
      expect(text).toBe("behind\nx");
      expect(asked.at(-1)).toBe(`behind.example:${behind.port}`);
    });

    it("tells the destination who calls, before anything else", async () => {
      const application = await opened(startFirstLine());
      await mesh.reset(
        service("told", tcp, "tcp"),
        workload("told", "v1", application.port),
        `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: told, namespace: default }
spec: { host: told, trafficPolicy: { proxyProtocol: { version: V1 } } }`,
      );
      const line = await until(async () => await said(talk(client, tcp, "x")));
      expect(line).toMatch(new RegExp(`^PROXY TCP4 [\\d.]+ ${client.replaceAll(".", "\\.")} \\d+ ${tcp}$`));
    });

    it("looks up the server names of a wildcard that has no endpoints", async () => {
      const application = await opened(startTls("any", await authority.issue("any.localhost")));
      await mesh.reset(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: default }
spec:
  hosts: ["*.localhost"]
  resolution: NONE
  ports: [{ number: ${application.port}, name: tls, protocol: TLS }]`);
      const text = await until(async () => await said(talkTls(client, application.port, "any.localhost")));
      expect(text).toBe("any any.localhost");
    });

    it("splits the connections of a TCP service by weight", async () => {
      const [v1, v2] = [await opened(startEcho("v1")), await opened(startEcho("v2"))];
      await mesh.reset(
        service("mysqldb", tcp, "tcp"),
        workload("mysqldb", "v1", v1.port),
        workload("mysqldb", "v2", v2.port),
        `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: mysqldb, namespace: default }
spec: { host: mysqldb, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }`,
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: mysqldb, namespace: default }
spec:
  hosts: [mysqldb]
  tcp:
  - match: [{ port: ${tcp} }]
    route:
    - { destination: { host: mysqldb, subset: v1 }, weight: 80 }
    - { destination: { host: mysqldb, subset: v2 }, weight: 20 }`,
      );
      // What the application has to say comes first, and all that was sent comes back after the client has ended.
      expect(await until(async () => await said(talk(client, tcp, "hello")))).toMatch(/^v[12]\nhello$/);
      const answers: string[] = [];
      for (let i = 0; i < 300; i++) answers.push((await talk(client, tcp)).trim());
      expectShares(answers, { v1: 0.8, v2: 0.2 }, "connections");
    });

    it("passes TLS through by server name, without a rule and with one", async () => {
      const a = await opened(startTls("a", await authority.issue("a.example")));
      const b = await opened(startTls("b", await authority.issue("b.example")));
      const services = [external("a.example", tls, "TLS", a.port), external("*.b.example", tls, "HTTPS", b.port)];
      await mesh.reset(...services);
      expect(await until(async () => await said(talkTls(client, tls, "a.example")))).toBe("a a.example");
      expect(await talkTls(client, tls, "x.b.example")).toBe("b x.b.example");
      expect(await talkTls(client, tls, "elsewhere.example")).toBe("");
      expect(await talkTls(client, tls)).toBe("");
      expect(await talk(client, tls, "GET / HTTP/1.1\r\n\r\n")).toBe("");
      await mesh.reset(
        ...services,
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: b, namespace: default }
spec:
  hosts: ["*.b.example"]
  tls:
  - match: [{ port: ${tls}, sniHosts: [moved.b.example] }]
    route: [{ destination: { host: a.example } }]
  - match: [{ sniHosts: ["*.b.example"] }]
    route: [{ destination: { host: "*.b.example" } }]`,
      );
      await until(async () => expect(await talkTls(client, tls, "moved.b.example")).toBe("a moved.b.example"));
      expect(await talkTls(client, tls, "x.b.example")).toBe("b x.b.example");
      expect(await talkTls(client, tls, "a.example")).toBe("a a.example");
    });

    it("opens TLS for plain HTTP, as Istio's egress sample has it, and checks whom it talks to", async () => {
      const secure = await opened(startHttps(await authority.issue("www.example.test")));
      const egress = (host: string) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: egress, namespace: default }
spec:
  hosts: [${host}]
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: ${tls}, name: https, protocol: HTTPS }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { https: ${secure.port} } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: rewrite-port, namespace: default }
spec:
  hosts: [${host}]
  http: [{ match: [{ port: 80 }], route: [{ destination: { host: ${host}, port: { number: ${tls} } } }] }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: originate-tls, namespace: default }
spec:
  host: ${host}
  trafficPolicy:
    loadBalancer: { simple: ROUND_ROBIN }
    portLevelSettings: [{ port: { number: ${tls} }, tls: { mode: SIMPLE, caCertificates: ${authority.caPath} } }]`;
      await mesh.reset(egress("www.example.test"));
      const answer = await mesh.call({ host: "www.example.test", path: "/" });
      expect(answer).toMatchObject({ status: 200, body: "www.example.test www.example.test" });
      // Connections are kept: several requests, one handshake or a few.
      for (const { status } of await mesh.callMany(20, { host: "www.example.test" })) expect(status).toBe(200);
      // The very same server, under a name that its certificate does not carry.
      await mesh.reset(egress("other.example.test"));
      expect(await mesh.call({ host: "other.example.test" })).toMatchObject({ status: 503 });
    });

    it("opens TLS for a TCP service, too", async () => {
      const secure = await opened(startTls("secure", await authority.issue("db.example.test")));
      await mesh.reset(
        external("db.example.test", tcp, "TCP", secure.port),
        `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: db, namespace: default }
spec: { host: db.example.test, trafficPolicy: { tls: { mode: SIMPLE, caCertificates: ${authority.caPath} } } }`,
      );
      expect(await until(async () => await said(talk(client, tcp)))).toBe("secure db.example.test");
      // A reset cannot be passed on to TLS as one, and must not be more than the end of this connection.
      await hangUp(client, tcp);
      // Of a session that Envoy resumes, Node's server does not tell the name again.
      expect(await until(async () => await said(talk(client, tcp)))).toMatch(/^secure /);
    });

    it("reaches a TCP workload behind its own sidecar, and both log the connection", async () => {
      await mesh.reset(
        service("database", tcp, "tcp"),
        workload("database", "v1", mesh.ports.database, "tcp", addresses.ratings),
      );
      mesh.collector.connections.length = 0;
      const big = "0123456789abcdef".repeat(100_000);
      const text = await until(async () => await said(talk(client, tcp, big)));
      expect(text.length).toBe(big.length + 3);
      expect(text.slice(0, 10)).toBe("db\n0123456");
      const find = (logName: string) =>
        until(() => {
          const found = mesh.collector.connections.find(
            ({ logName: name, entry }) =>
              name === logName && entry.connectionProperties?.receivedBytes === BigInt(big.length),
          );
          if (found === undefined) throw new Error(`nothing in ${logName}`);
          return found;
        });
      const outbound = await find("limpid.outbound");
      expect(outbound.nodeId).toBe(mesh.nodeId("client"));
      const common = outbound.entry.commonProperties;
      expect(outbound.entry.connectionProperties?.sentBytes).toBe(BigInt(big.length + 3));
      expect(common?.upstreamCluster).toBe(`outbound|${tcp}||database.default.svc.cluster.local`);
      expect(common?.customTags).toMatchObject({
        "limpid.destination": "database-v1;default;database;v1;limpid",
        "limpid.cluster": `outbound|${tcp}||database.default.svc.cluster.local`,
      });
      const inbound = await find("limpid.inbound");
      expect(inbound.nodeId).toBe(mesh.nodeId("server"));
      expect(inbound.entry.commonProperties?.upstreamCluster).toBe(`inbound|${mesh.ports.database}||`);
    });

    it("a port of HTTP/2 is served beside the service's others", async () => {
      const two = `
apiVersion: v1
kind: Service
metadata: { name: two, namespace: default }
spec: { selector: { app: two }, ports: [{ name: grpc, port: 50051 }, { name: tcp, port: ${tcp} }] }`;
      await mesh.reset(two, workload("two", "v1", mesh.ports.database, "tcp", addresses.ratings));
      expect(await until(async () => await said(talk(client, tcp, "x")))).toBe("db\nx");
      // What answers there speaks no HTTP/2.
      expect([502, 503]).toContain((await mesh.call({ host: "two:50051" })).status);
      expect(await mesh.call({ host: "ratings:9080" })).toMatchObject({ status: 200 });
    });

    it("closes what has nowhere to go, and the log says why", async () => {
      await mesh.reset(service("dead", tcp, "tcp"), workload("dead", "v1", 1));
      const flagsOf = (port: number, host: string) =>
        until(async () => {
          expect(await talk(client, port)).toBe("");
          const cluster = `outbound|${port}||${host}.default.svc.cluster.local`;
          const found = mesh.collector.connections.find(
            ({ entry }) => entry.commonProperties?.customTags["limpid.cluster"] === cluster,
          );
          if (found === undefined) throw new Error(`nothing of ${cluster}`);
          const flags = found.entry.commonProperties?.responseFlags ?? {};
          return Object.entries(flags).flatMap(([name, on]) => (on === true ? [name] : []));
        });
      expect(await flagsOf(tcp, "dead")).toEqual(["upstreamConnectionFailure", "upstreamRetryLimitExceeded"]);
      await mesh.reset(service("nobody", tls, "tcp"));
      expect(await flagsOf(tls, "nobody")).toEqual(["noHealthyUpstream"]);
    });

    it("passes TCP and TLS through a gateway", async () => {
      const [plain = 0, passed = 0] = await freePorts(2, addresses.gateway);
      const a = await opened(startTls("a", await authority.issue("a.example")));
      await mesh.reset(
        service("database", tcp, "tcp"),
        workload("database", "v1", mesh.ports.database, "tcp", addresses.ratings),
        external("a.example", tls, "TLS", a.port),
        `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: l4, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
  - { port: { number: ${plain}, name: tcp, protocol: TCP }, hosts: ["*"] }
  - { port: { number: ${passed}, name: tls, protocol: TLS }, hosts: ["*.example"], tls: { mode: PASSTHROUGH } }`,
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: l4, namespace: default }
spec:
  hosts: ["*"]
  gateways: [l4]
  tcp: [{ match: [{ port: ${plain} }], route: [{ destination: { host: database } }] }]
  tls: [{ match: [{ port: ${passed}, sniHosts: [a.example] }], route: [{ destination: { host: a.example } }] }]`,
      );
      expect(await until(async () => await said(talk(addresses.gateway, plain, "x")))).toBe("db\nx");
      expect(await talkTls(addresses.gateway, passed, "a.example")).toBe("a a.example");
      expect(await talkTls(addresses.gateway, passed, "b.example")).toBe("");
    });
  });
}

/** Listeners are bound a moment after they are acknowledged. */
async function said(talking: Promise<string>): Promise<string> {
  const text = await talking;
  if (text === "") throw new Error("nobody answers");
  return text;
}
