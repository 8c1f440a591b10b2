import { Command } from "commander";
import { afterEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { kinds, parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { createConfigApi } from "../../control-plane/api/config-api.ts";
import { createControlPlane } from "../../control-plane/control-plane.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { envoyMissing, freePort, startEnvoy } from "../../xds/testing/envoy.ts";
import { registerProxyConfig } from "./config.ts";
import { registerProxyStatus } from "./status.ts";
import { registerWait } from "./wait.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const yaml = (regex = "/a") => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews.default.svc.cluster.local]
  ports: [{ name: http, number: 9080, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { http: 1 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http: [{ match: [{ uri: { regex: "${regex}" } }], route: [{ destination: { host: reviews } }] }]
`;

async function setUp() {
  const store = new MemoryConfigStore();
  const put = async (text: string) => {
    const parsed = parseDocuments(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  };
  const common = { store, clock: systemClock, logger: silentLogger };
  const plane = createControlPlane({ ...common, xdsPort: 0 });
  await plane.start();
  closers.push(() => plane.stop());
  await put(yaml());
  const { services, pushes, ready } = plane;
  const api = createConfigApi({
    ...common,
    kinds,
    services,
    mesh: plane.mesh,
    gatewayProxies: plane.gatewayProxies,
    proxies: plane.proxies,
    checks: plane.checks,
    pushes,
    ready,
    metrics: () => plane.metrics.text(),
  });
  const { port } = await api.listen("127.0.0.1", 0);
  closers.push(() => api.close());
  const { xds } = plane.addresses();
  const envoy = await startEnvoy({
    id: "sidecar~127.0.1.77~client-v1.shop~shop.svc.cluster.local",
    xdsPort: xds,
    api: "DELTA_GRPC",
    staticClusters: ["limpid-collector"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(await freePort()) },
  });
  closers.push(() => envoy.stop());
  const limpid = async (...args: string[]) => {
    const run = { code: 0, out: "", err: "" };
    const program = new Command("limpid").exitOverride();
    for (const register of [registerProxyStatus, registerProxyConfig, registerWait]) {
      register(program, {
        out: (text) => {
          run.out += text;
        },
        err: (text) => {
          run.err += text;
        },
        stdin: async () => "",
        fail: () => {
          run.code = 1;
        },
        env: {},
      });
    }
    const where = args[0] === "wait" ? ["--server", `http://127.0.0.1:${port}`] : ["--xds", `127.0.0.1:${xds}`];
    await program.parseAsync([...args, ...where], { from: "user" });
    return run;
  };
  await vi.waitFor(async () => expect((await limpid("ps")).out).toMatch(/SYNCED +SYNCED +SYNCED/), 15_000);
  return { limpid, put };
}

test.skipIf(envoyMissing)("proxy-status, proxy-config and wait tell of a real Envoy", async () => {
  const { limpid, put } = await setUp();
  const status = await limpid("proxy-status");
  expect(status.out.split("\n")[0]).toMatch(/^NAME +TYPE +CDS +LDS +EDS +RDS +VHDS +REVISION +VERSION$/);
  expect(status.out).toMatch(/client-v1\.shop +sidecar +SYNCED .*envoy 1\.\d+/);
  expect(JSON.parse((await limpid("ps", "client-v1", "-o", "json")).out)).toMatchObject([
    { name: "client-v1", namespace: "shop", types: { CDS: { state: "SYNCED" } } },
  ]);

  expect((await limpid("pc", "cluster", "client-v1.shop")).out).toMatch(
    /reviews\.default\.svc\.cluster\.local +9080 +- +outbound +EDS +- +SYNCED/,
  );
  expect((await limpid("pc", "endpoint", "client-v1")).out).toMatch(
    /127\.0\.0\.1:1 +HEALTHY +outbound\|9080\|\|reviews/,
  );
  expect((await limpid("pc", "route", "client-v1")).out).toMatch(
    /http_proxy +reviews\.default.*9080 .*reviews.* 1 +reviews\.default +SYNCED/,
  );
  const listeners = parse((await limpid("pc", "listener", "client-v1", "-o", "yaml")).out) as { name: string }[];
  expect(listeners.length).toBeGreaterThan(0);
  expect((await limpid("pc", "all", "client-v1")).out).toContain("SERVICE");
  expect((await limpid("pc", "clusters", "client-v1", "-n", "shop")).out).toContain(
    "reviews.default.svc.cluster.local",
  );
  const names = (run: { out: string }) =>
    (JSON.parse(run.out) as { name?: string; clusterName?: string }[]).map((it) => it.name ?? it.clusterName);
  const pc = (...args: string[]) => limpid("pc", ...args.slice(0, 1), "client-v1", "-o", "json", ...args.slice(1));
  const cluster = "outbound|9080||reviews.default.svc.cluster.local";
  expect(names(await pc("cluster", "--fqdn", "reviews", "--port", "9080", "--direction", "outbound"))).toEqual([
    cluster,
  ]);
  expect(names(await pc("cluster", "--fqdn", "reviews", "--subset", "v9"))).toEqual([]);
  expect(names(await pc("endpoint", "--cluster", cluster, "--status", "healthy", "--port", "1"))).toEqual([cluster]);
  expect(names(await pc("endpoint", "--address", "127.0.0.9"))).toEqual([]);
  expect(names(await pc("listener", "--type", "http"))).toHaveLength(1);
  expect(names(await pc("listener", "--type", "TCP"))).toEqual([]);
  expect(names(await pc("route", "--name", "http_proxy"))).toContain("http_proxy");
  expect((await limpid("pc", "route", "client-v1", "--name", "none", "-o", "short")).out).toBe(
    "client-v1 has no route --name none.\n",
  );
  expect(await limpid("pc", "route", "client-v1", "--fqdn", "reviews")).toMatchObject({
    code: 1,
    err: expect.stringContaining("--fqdn is for cluster, not for route; route has --name"),
  });
  const all = (await limpid("pc", "all", "client-v1", "--fqdn", "reviews")).out;
  expect(all).toMatch(/SERVICE/);
  expect(all).not.toMatch(/LISTENER|VIRTUAL HOST/);
  expect((await limpid("pc", "ecds", "client-v1")).out).toBe("client-v1 has no extension.\n");
  await expect(limpid("pc", "bootstrap", "client-v1")).rejects.toThrow(/listener\|listeners\|l, .* or all/);
  expect(await limpid("pc", "all", "client-v1", "-n", "prod")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no proxy client-v1 is connected in namespace prod"),
  });
  expect((await limpid("ps", "-n", "prod")).out).toBe("No proxy is connected.\n");
  expect(await limpid("pc", "all", "nobody")).toMatchObject({ code: 1, err: /no proxy nobody.*client-v1\.shop/ });

  // It connected after this was pushed.
  expect(await limpid("wait", "vs", "reviews")).toMatchObject({
    code: 0,
    out: expect.stringContaining("is in force in 1 proxies that connected since"),
  });
  expect(await limpid("wait", "vs", "reviews", "--timeout", "soon")).toMatchObject({
    code: 1,
    err: expect.stringContaining("--timeout soon: must be a duration such as 30s or 2m"),
  });
  const { revision } = await put(yaml("/b"));
  expect(await limpid("wait", "--for=distribution", "virtualservice/reviews", "--timeout=20s")).toMatchObject({
    code: 0,
    out: expect.stringContaining(`VirtualService default/reviews at revision ${revision} is in force in 1 proxies`),
  });
  await put(yaml(`/${"(a{1,100}){1,10}".repeat(3)}`));
  const refused = await limpid("wait", "vs", "reviews.default");
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("was refused by 1 of 1 proxies") });
  const after = await limpid("ps");
  expect(after).toMatchObject({ code: 1, out: expect.stringContaining("virtual-service/reviews") });
  expect(await limpid("wait", "vs", "nothing")).toMatchObject({ code: 1 });
});
