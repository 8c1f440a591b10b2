import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "./harness/call.ts";
import { ScenarioMesh } from "./harness/mesh.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";
import { until } from "./harness/until.ts";
import { play, playOrRefuse } from "./scenario.ts";
import { scenarios } from "./table.ts";

const kinds: ProxyKind[] = ["limpid sidecar", "Envoy"];

for (const kind of kinds) {
  // Envoy is looked for, not demanded, on a person's machine: `npm test` brings it.
  describe.skipIf(kind === "Envoy" && envoyMissing)(`scenarios on ${kind}${whySkipped(kind)}`, () => {
    let mesh: ScenarioMesh;
    beforeAll(async () => {
      mesh = await ScenarioMesh.start(kind);
    });
    afterAll(() => mesh?.close());

    for (const { only, ...scenario } of scenarios) {
      if (only && only.kind !== kind) {
        it(`${scenario.name}, or refuses alone and by name ${only.because}`, () => playOrRefuse(scenario, mesh));
      } else it(scenario.name, () => play(scenario, mesh));
    }

    it("a weight change is in force at once and fails no request", async () => {
      const weights = (v1: number, v3: number) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
  - route:
    - { destination: { host: reviews, subset: v1 }, weight: ${v1} }
    - { destination: { host: reviews, subset: v3 }, weight: ${v3} }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v3, labels: { version: v3 } }] }`;
      await mesh.reset(weights(100, 0));
      const traffic = startTraffic(mesh);
      for (const [v1, v3] of [
        [0, 100],
        [100, 0],
        [0, 100],
      ] as const) {
        const started = performance.now();
        await mesh.controlPlane.apply(mesh.base, weights(v1, v3));
        const wanted = v1 === 100 ? "v1" : "v3";
        await until(async () => expect((await mesh.call({})).echo?.version).toBe(wanted), 2_000, 1);
        expect(performance.now() - started).toBeLessThan(2_000);
        const answers = await mesh.callMany(50, {});
        expect(new Set(answers.map(({ echo }) => echo?.version))).toEqual(new Set([wanted]));
      }
      const { statuses, failures } = await traffic.stop();
      expect(failures).toEqual([]);
      expect([...statuses.keys()]).toEqual([200]);
      expect(statuses.get(200)).toBeGreaterThan(20);
    });

    it("a restart of the control plane fails no request, and later changes arrive", async () => {
      await mesh.reset();
      const traffic = startTraffic(mesh);
      await mesh.controlPlane.restart();
      const abort = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings, namespace: default }
spec: { hosts: [ratings], http: [{ directResponse: { status: 418 }, match: [{ uri: { prefix: / } }] }] }`;
      await mesh.controlPlane.apply(mesh.base, abort);
      await until(async () => expect((await mesh.call({ host: "ratings:9080" })).status).toBe(418));
      const { statuses, failures } = await traffic.stop();
      expect(failures).toEqual([]);
      expect([...statuses.keys()]).toEqual([200]);
    });

    it("both sides log the request to the collector", async () => {
      await mesh.reset();
      mesh.collector.logs.length = 0;
      const path = `/ratings/log?${kind.length}`;
      const answer = await mesh.call({ host: "ratings:9080", path, headers: { "user-agent": "scenario/1" } });
      expect(answer.status).toBe(200);
      const find = (logName: string) =>
        until(() => {
          const found = mesh.collector.logs.find((log) => log.logName === logName && log.entry.request?.path === path);
          if (found === undefined) throw new Error(`nothing in ${logName}`);
          return found;
        });
      const outbound = await find("limpid.outbound");
      const inbound = await find("limpid.inbound");
      expect(outbound.nodeId).toBe(mesh.nodeId("client"));
      expect(inbound.nodeId).toBe(mesh.nodeId("server"));
      expect(summary(outbound.entry)).toEqual({
        method: 1,
        scheme: "http",
        authority: "ratings:9080",
        path,
        userAgent: "scenario/1",
        code: 200,
        details: "via_upstream",
        protocol: 2,
        cluster: "outbound|9080||ratings.default.svc.cluster.local",
        upstream: `127.0.77.2:${mesh.ports.ratings}`,
        local: `127.0.77.1:${mesh.ports.outbound}`,
        tags: {
          "limpid.destination": "ratings-v1;default;ratings;v1;limpid",
          "limpid.cluster": "outbound|9080||ratings.default.svc.cluster.local",
        },
        // The proxy's own span, which the next one continues.
        headers: {
          "x-limpid-peer": "client-v1;default;client;v1;limpid",
          traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
        },
        flags: [],
        attempts: 1,
        responseBytes: BigInt(answer.body.length),
        requestBytes: 0n,
        type: 6,
        timed: true,
      });
      expect(summary(inbound.entry)).toMatchObject({
        path,
        code: 200,
        cluster: `inbound|${mesh.ports.ratings}||`,
        upstream: `127.0.0.1:${mesh.applications["ratings-v1"].port}`,
        headers: { "x-limpid-peer": "client-v1;default;client;v1;limpid" },
      });
      // One request, one id, on both sides.
      expect(outbound.entry.request?.requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(inbound.entry.request?.requestId).toBe(outbound.entry.request?.requestId);
    });

    it("logs the flags of requests that didn't make it", async () => {
      await mesh.reset(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
  - match: [{ uri: { prefix: /aborted } }]
    fault: { abort: { httpStatus: 503, percentage: { value: 100 } } }
    route: [{ destination: { host: reviews } }]
  - match: [{ uri: { prefix: /late } }]
    timeout: 0.1s
    route: [{ destination: { host: reviews } }]
  - route: [{ destination: { host: reviews } }]`);
      mesh.collector.logs.length = 0;
      for (const application of Object.values(mesh.applications)) application.setDelay(1_000);
      await Promise.all([
        mesh.call({ path: "/aborted" }),
        mesh.call({ path: "/late" }),
        mesh.call({ host: "nowhere" }),
      ]);
      const logged = await until(() => {
        const logs = mesh.collector.logs.filter(({ logName }) => logName === "limpid.outbound");
        expect(logs).toHaveLength(3);
        return logs.map(({ entry }) => summary(entry));
      });
      const by = (part: (log: (typeof logged)[0]) => boolean) => logged.find(part);
      expect(by(({ path }) => path === "/aborted")).toMatchObject({
        code: 503,
        flags: ["faultInjected"],
        details: "fault_filter_abort",
        upstream: "",
        tags: { "limpid.config": "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews" },
      });
      expect(by(({ path }) => path === "/late")).toMatchObject({
        code: 504,
        flags: ["upstreamRequestTimeout"],
        details: "response_timeout",
      });
      expect(by(({ authority }) => authority === "nowhere")).toMatchObject({ code: 502, details: "direct_response" });
    });

    it("spans of both sides make one trace", async () => {
      await mesh.reset();
      mesh.collector.spans.length = 0;
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
      const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
      await mesh.call({ host: "ratings:9080", path: "/traced", headers: { traceparent } });
      const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
      const spanOf = (service: string) =>
        until(() => {
          const { spans } = mesh.collector;
          const found = spans.find(({ serviceName, span }) => serviceName === service && hex(span.traceId) === traceId);
          if (found === undefined) throw new Error(`no span of ${service} among ${spans.length}`);
          return found.span;
        });
      const client = await spanOf("client.default");
      const server = await spanOf("ratings.default");
      expect(hex(client.parentSpanId)).toBe("00f067aa0ba902b7");
      expect(hex(server.parentSpanId)).toBe(hex(client.spanId));
      const attributes = Object.fromEntries(client.attributes.map(({ key, value }) => [key, value?.value.value]));
      expect(attributes).toMatchObject({
        "http.method": "GET",
        "http.url": "http://ratings:9080/traced",
        "http.status_code": "200",
        node_id: mesh.nodeId("client"),
        upstream_cluster: "outbound|9080||ratings.default.svc.cluster.local",
      });
    });

    it("answers the admin questions of Envoy's tools", async () => {
      await mesh.reset();
      await mesh.callMany(5, { host: "ratings:9080" });
      const cluster = "outbound|9080||ratings.default.svc.cluster.local";
      const dump = JSON.parse((await mesh.client.admin("/config_dump?include_eds")).body);
      const sections = dump.configs.map((config: { "@type": string }) => config["@type"].split(".").at(-1));
      expect(sections).toEqual(
        expect.arrayContaining([
          "BootstrapConfigDump",
          "ClustersConfigDump",
          "ListenersConfigDump",
          "RoutesConfigDump",
          "EndpointsConfigDump",
        ]),
      );
      const dynamic = dump.configs.flatMap((config: { dynamic_active_clusters?: { cluster?: { name: string } }[] }) =>
        // What was refused is there with its error only.
        (config.dynamic_active_clusters ?? []).flatMap((active) => active.cluster?.name ?? []),
      );
      expect(dynamic).toContain(cluster);
      const { body: clusters } = await mesh.client.admin("/clusters");
      expect(clusters).toContain(`${cluster}::127.0.77.2:${mesh.ports.ratings}::health_flags::healthy`);
      const { body: stats } = await mesh.client.admin(`/stats?filter=upstream_rq_total`);
      const total = Number(
        /outbound\|9080\|\|ratings\.default\.svc\.cluster\.local\.upstream_rq_total: (\d+)/.exec(stats)?.[1],
      );
      expect(total).toBeGreaterThanOrEqual(5);
      const { body: listeners } = await mesh.client.admin("/listeners");
      expect(listeners).toContain(`127.0.77.1_${mesh.ports.outbound}::127.0.77.1:${mesh.ports.outbound}`);
    });
  });
}

/** Requests over kept connections until stopped: what they answered, and which broke. */
function startTraffic(mesh: ScenarioMesh) {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  let going = true;
  const worker = async () => {
    while (going) {
      try {
        const { status } = await call(
          { address: "127.0.77.1", port: mesh.ports.outbound, host: "reviews:9080" },
          agent,
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const workers = [worker(), worker()];
  return {
    async stop() {
      going = false;
      await Promise.all(workers);
      agent.destroy();
      return { statuses, failures };
    },
  };
}

type Entry = ScenarioMesh["collector"]["logs"][0]["entry"];

/** The fields of an entry that don't differ from run to run. */
function summary({ commonProperties: common, request, response, protocolVersion }: Entry) {
  const flags = Object.entries(common?.responseFlags ?? {});
  return {
    method: request?.requestMethod,
    scheme: request?.scheme,
    authority: request?.authority,
    path: request?.path,
    userAgent: request?.userAgent,
    code: response?.responseCode,
    details: response?.responseCodeDetails,
    protocol: protocolVersion,
    cluster: common?.upstreamCluster,
    upstream: hostPort(common?.upstreamRemoteAddress),
    local: hostPort(common?.downstreamLocalAddress),
    tags: common?.customTags,
    headers: request?.requestHeaders,
    flags: flags.filter(([, value]) => value === true).map(([name]) => name),
    attempts: common?.upstreamRequestAttemptCount,
    responseBytes: response?.responseBodyBytes,
    requestBytes: request?.requestBodyBytes,
    type: common?.accessLogType,
    timed: [common?.startTime, common?.duration, common?.timeToFirstUpstreamRxByte].every(Boolean),
  };
}

function hostPort(address: { address: { case?: string; value?: unknown } } | undefined): string {
  if (address?.address.case !== "socketAddress") return "";
  const { address: host, portSpecifier } = address.address.value as {
    address: string;
    portSpecifier: { value?: number | string };
  };
  return `${host}:${portSpecifier.value}`;
}
