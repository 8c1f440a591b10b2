import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanups } from "./harness/cleanups.ts";
import { addresses, ScenarioMesh } from "./harness/mesh.ts";
import { freePorts } from "./harness/ports.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";
import { ask, talk } from "./harness/tcp.ts";
import { until } from "./harness/until.ts";

/** Who calls, and whose proxy is called. */
const pairs: [client: ProxyKind, server: ProxyKind][] = [
  ["limpid sidecar", "limpid sidecar"],
  ["Envoy", "Envoy"],
  ["limpid sidecar", "Envoy"],
  ["Envoy", "limpid sidecar"],
];

const identity = (account: string) => `spiffe://cluster.local/ns/default/sa/${account}`;
const rule = (host: string, tls: string) => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${host}, namespace: default }
spec: { host: ${host}, trafficPolicy: { tls: ${tls} } }`;

for (const [clientKind, serverKind] of pairs) {
  const involved: ProxyKind = [clientKind, serverKind].includes("Envoy") ? "Envoy" : "limpid sidecar";
  const title = `mutual TLS from ${clientKind} to ${serverKind}${whySkipped(involved)}`;
  describe.skipIf(involved === "Envoy" && envoyMissing)(title, () => {
    const cleanups = new Cleanups();
    let mesh: ScenarioMesh;
    /** A port of TCP services as clients call them. */
    let tcp = 0;

    beforeAll(async () => {
      mesh = await ScenarioMesh.start(clientKind, { serverKind });
      cleanups.add(() => mesh.close());
      [tcp = 0] = await freePorts(1, addresses.client);
    });
    afterAll(() => cleanups.run());

    const toRatings = { host: "ratings:9080", path: "/ratings" };
    /** What the server's proxy logged of the newest request to a path. */
    const inboundLog = (path: string) =>
      until(() => {
        const found = mesh.collector.logs.findLast(
          ({ logName, entry }) => logName === "limpid.inbound" && entry.request?.path === path,
        );
        const properties = found?.entry.commonProperties;
        if (properties === undefined) throw new Error(`no record of ${path}`);
        return properties;
      });

    it("is plain text until a rule asks, and nobody can pretend to have shown a certificate", async () => {
      await mesh.reset();
      const forged = { "x-forwarded-client-cert": `URI=${identity("admin")}` };
      const answer = await mesh.call({ ...toRatings, path: "/plain", headers: forged });
      expect(answer).toMatchObject({ status: 200, echo: { app: "ratings" } });
      expect(answer.echo?.headers["x-forwarded-client-cert"]).toBeUndefined();
      expect((await inboundLog("/plain")).tlsProperties?.peerCertificateProperties).toBeUndefined();
    });

    it("shows both sides' identities, to the application and to the access log", async () => {
      await mesh.reset(rule("ratings", "{ mode: ISTIO_MUTUAL }"));
      const answer = await mesh.call({
        ...toRatings,
        path: "/mutual",
        headers: { "x-forwarded-client-cert": "URI=spiffe://forged" },
      });
      expect(answer.status).toBe(200);
      expect(answer.echo?.headers["x-forwarded-client-cert"]).toMatch(
        new RegExp(`^By=${identity("ratings")};Hash=[0-9a-f]{64};Subject="";URI=${identity("client")}$`),
      );
      const { tlsProperties } = await inboundLog("/mutual");
      const uris = (of: "localCertificateProperties" | "peerCertificateProperties") =>
        tlsProperties?.[of]?.subjectAltName.map(({ san }) => san.value);
      expect(uris("localCertificateProperties")).toEqual([identity("ratings")]);
      expect(uris("peerCertificateProperties")).toEqual([identity("client")]);
      expect(tlsProperties).toMatchObject({
        tlsVersion: 4,
        tlsSniHostname: "outbound_.9080_._.ratings.default.svc.cluster.local",
      });
      expect(tlsProperties?.tlsCipherSuite).toBeGreaterThan(0);
    });

    it("keeps connections, carries large bodies both ways, and still takes plain text beside", async () => {
      await mesh.reset(rule("ratings", "{ mode: ISTIO_MUTUAL }"));
      const body = "0123456789abcdef".repeat(65_536);
      const sent = await mesh.call({ ...toRatings, method: "POST", body });
      expect(sent).toMatchObject({ status: 200, echo: { bodyBytes: body.length } });
      const got = await mesh.call({ ...toRatings, path: "/big?bytes=1048576" });
      expect(got.body.length).toBe(1_048_576);
      for (const { status } of await mesh.callMany(50, toRatings)) expect(status).toBe(200);
      const direct = await mesh.callServer({ path: "/beside" });
      expect(direct).toMatchObject({ status: 200, echo: { app: "ratings" } });
      expect(direct.echo?.headers["x-forwarded-client-cert"]).toBeUndefined();
    });

    /** With a service account alone it says so, too. */
    const labelled = (label = ", security.istio.io/tlsMode: istio") => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ratings-v1, namespace: default }
spec:
  address: ${addresses.ratings}
  ports: { http: ${mesh.ports.ratings} }
  labels: { app: ratings, version: v1${label} }
  serviceAccount: ratings`;
    const peers = (mode: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: ratings, namespace: default }
spec: { selector: { matchLabels: { app: ratings } }, mtls: { mode: ${mode} } }`;

    it("is what endpoints that say so are called by, without a rule", async () => {
      for (const label of [undefined, ""]) {
        await mesh.reset(labelled(label));
        const answer = await mesh.call({ ...toRatings, path: "/unasked" });
        expect(answer.status).toBe(200);
        expect(answer.echo?.headers["x-forwarded-client-cert"]).toContain(`URI=${identity("client")}`);
      }
      await mesh.reset(labelled(), peers("DISABLE"));
      const plain = await mesh.call({ ...toRatings, path: "/switched-off" });
      expect(plain.status).toBe(200);
      expect(plain.echo?.headers["x-forwarded-client-cert"]).toBeUndefined();
    });

    it("is for those endpoints of a service that say so, beside others", async () => {
      const other = createServer((_, response) => void response.end("other"));
      cleanups.add(() => void other.close());
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
      await mesh.reset(
        labelled(),
        `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ratings-v2, namespace: default }
spec:
  address: 127.0.0.1
  ports: { http: ${(other.address() as AddressInfo).port} }
  labels: { app: ratings, version: v2 }`,
      );
      const answers = await mesh.callMany(20, toRatings);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      const mutual = answers.flatMap(({ echo }) => echo ?? []);
      expect(mutual.length).toBeGreaterThan(0);
      expect(mutual.length).toBeLessThan(20);
      for (const { headers } of mutual) {
        expect(headers["x-forwarded-client-cert"]).toContain(`URI=${identity("client")}`);
      }
    });

    it("is all that STRICT lets in", async () => {
      await mesh.reset(labelled(), peers("STRICT"));
      expect((await mesh.call({ ...toRatings, path: "/strict" })).status).toBe(200);
      await expect(mesh.callServer({ path: "/refused" })).rejects.toThrow(/hang up|ECONNRESET/);
      await mesh.reset(peers("STRICT"));
      expect((await mesh.call({ ...toRatings, path: "/in-plain-text" })).status).toBe(503);
      await mesh.reset(peers("PERMISSIVE"));
      expect((await mesh.callServer({ path: "/again" })).status).toBe(200);
    });

    it("carries HTTP/2", async () => {
      await mesh.reset(
        rule("notes", "{ mode: ISTIO_MUTUAL }"),
        `
apiVersion: v1
kind: Service
metadata: { name: notes, namespace: default }
spec: { selector: { app: notes }, ports: [{ name: http2, port: 50051 }] }`,
        `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: notes-v1, namespace: default }
spec: { address: ${addresses.ratings}, ports: { http2: ${mesh.ports.http2} }, labels: { app: notes, version: v1 }, serviceAccount: ratings }`,
      );
      const answer = await until(async () => {
        const one = await mesh.call({ host: "notes:50051", path: "/two" });
        expect(one.status).toBe(200);
        return one;
      });
      expect(answer.body).toBe("HTTP/2.0 /two");
      const { tlsProperties } = await inboundLog("/two");
      expect(tlsProperties?.peerCertificateProperties?.subjectAltName[0]?.san.value).toBe(identity("client"));
    });

    it("also from the gateway", async () => {
      await mesh.reset(
        rule("ratings", "{ mode: ISTIO_MUTUAL }"),
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: entrance, namespace: default }
spec: { hosts: ["*"], gateways: [edge], http: [{ route: [{ destination: { host: ratings } }] }] }`,
      );
      const answer = await mesh.call({ via: "gateway", host: "any.example", path: "/entered" });
      expect(answer.status).toBe(200);
      expect(answer.echo?.headers["x-forwarded-client-cert"]).toContain(`URI=${identity("gateway")}`);
    });

    it("does not talk to a server of another identity, and the log says why", async () => {
      await mesh.reset(rule("ratings", `{ mode: ISTIO_MUTUAL, subjectAltNames: ["${identity("somebody-else")}"] }`));
      expect(await mesh.call({ ...toRatings, path: "/wrong" })).toMatchObject({ status: 503 });
      const failed = await until(() => {
        const found = mesh.collector.logs.findLast(
          ({ logName, entry }) => logName === "limpid.outbound" && entry.request?.path === "/wrong",
        );
        if (found === undefined) throw new Error("no record");
        return found.entry.commonProperties;
      });
      expect(failed?.responseFlags?.upstreamConnectionFailure).toBe(true);
      expect(failed?.upstreamTransportFailureReason).not.toBe("");
    });

    it("is switched on and off under traffic without a failed request", async () => {
      await mesh.reset();
      let over = false;
      const statuses: number[] = [];
      const caller = async () => {
        while (!over) statuses.push(...(await mesh.callMany(25, toRatings, 5)).map(({ status }) => status));
      };
      const calling = caller();
      try {
        for (let round = 0; round < 8; round++) {
          await mesh.controlPlane.apply(mesh.base, rule("ratings", "{ mode: ISTIO_MUTUAL }"));
          await until(async () => {
            const answer = await mesh.call(toRatings);
            expect(answer.echo?.headers["x-forwarded-client-cert"]).toBeDefined();
          });
          await mesh.controlPlane.apply(mesh.base);
          await until(async () => {
            const answer = await mesh.call(toRatings);
            expect(answer.echo?.headers["x-forwarded-client-cert"]).toBeUndefined();
          });
        }
      } finally {
        over = true;
        await calling;
      }
      expect(statuses.length).toBeGreaterThan(50);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
    });

    it("carries TCP that the server begins, and lets plain connections in beside", async () => {
      const database = [
        `
apiVersion: v1
kind: Service
metadata: { name: database, namespace: default }
spec: { selector: { app: database }, ports: [{ name: tcp, port: ${tcp} }] }`,
        `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: database-v1, namespace: default }
spec: { address: ${addresses.ratings}, ports: { tcp: ${mesh.ports.database} }, labels: { app: database, version: v1 }, serviceAccount: ratings }`,
      ];
      await mesh.reset(...database, rule("database", "{ mode: ISTIO_MUTUAL }"));
      const big = "0123456789abcdef".repeat(50_000);
      mesh.collector.connections.length = 0;
      await until(async () => expect(await talk(addresses.client, tcp, big)).toBe(`db\n${big}`));
      const logged = await until(() => {
        const found = mesh.collector.connections.find(
          ({ logName, entry }) =>
            logName === "limpid.inbound" && entry.connectionProperties?.receivedBytes === BigInt(big.length),
        );
        if (found === undefined) throw new Error("no record");
        return found.entry.commonProperties?.tlsProperties?.peerCertificateProperties;
      });
      expect(logged?.subjectAltName.map(({ san }) => san.value)).toEqual([identity("client")]);
      expect(await ask(addresses.ratings, mesh.ports.database, "plain", 8)).toBe("db\nplain");
      // Who waits for the server to speak is kept waiting, but not for good.
      expect(await ask(addresses.ratings, mesh.ports.database, "", 3)).toBe("db\n");
    });
  });
}

for (const kind of ["limpid sidecar", "Envoy"] as const) {
  describe.skipIf(kind === "Envoy" && envoyMissing)(
    `a client without a certificate on ${kind}${whySkipped(kind)}`,
    () => {
      const cleanups = new Cleanups();
      let mesh: ScenarioMesh;
      beforeAll(async () => {
        mesh = await ScenarioMesh.start(kind, { clientInPlainText: true });
        cleanups.add(() => mesh.close());
      });
      afterAll(() => cleanups.run());

      it("calls in plain text where no rule says else, and nobody where one asks for mutual TLS", async () => {
        await mesh.reset();
        expect(await mesh.call({ host: "ratings:9080" })).toMatchObject({ status: 200 });
        await mesh.reset(rule("ratings", "{ mode: ISTIO_MUTUAL }"));
        mesh.applications["ratings-v1"].reset();
        expect(await mesh.call({ host: "ratings:9080", path: "/barred" })).toMatchObject({ status: 503 });
        expect(mesh.applications["ratings-v1"].requests).toEqual([]);
        expect(await mesh.call({ host: "reviews:9080" })).toMatchObject({ status: 200 });
        const logged = await until(() => {
          const found = mesh.collector.logs.find(({ entry }) => entry.request?.path === "/barred");
          if (found === undefined) throw new Error("no record");
          return found.entry.commonProperties?.responseFlags;
        });
        expect(logged?.noHealthyUpstream).toBe(true);
        await mesh.reset(rule("ratings", "{ mode: DISABLE }"));
        expect(await mesh.call({ host: "ratings:9080" })).toMatchObject({ status: 200 });
      });
    },
  );
}
