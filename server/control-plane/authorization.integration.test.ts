import type { AddressInfo } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { startGrpcAuthorizer, startHttpAuthorizer } from "./testing/authorizers.ts";
import {
  type Closers,
  call,
  freePort,
  proxyKinds,
  type Scenario,
  startApplication,
  startScenario,
} from "./testing/scenario.ts";

const soon = { timeout: 20_000, interval: 50 };

const workload = (name: string, port: number, protocol = "http") => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: ${protocol}, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v1, namespace: default }
spec: { address: 127.0.0.1, labels: { app: ${name} } }
---
`;

const policy = (name: string, spec: string, annotations = "") => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: default${annotations && `, annotations: { ${annotations} }`} }
spec: ${spec}
---
`;

const meshConfig = (spec: string) => `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: ${spec}
---
`;

describe.each(proxyKinds)("$kind", (kind) => {
  describe.skipIf(kind.missing)("policies", () => {
    const closers: Closers = [];
    // The bundled sidecar can't ask anybody yet: it refuses the filter by its name.
    let scenario: Scenario;
    let [port, tcpPort] = [0, 0];
    let http: Awaited<ReturnType<typeof startHttpAuthorizer>>;
    let grpc: Awaited<ReturnType<typeof startGrpcAuthorizer>>;

    beforeAll(async () => {
      [port, tcpPort] = [await freePort(), await freePort()];
      const application = await startApplication(closers);
      const echo = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
      await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
      closers.push(() => echo.close());
      [http, grpc] = [await startHttpAuthorizer(closers), await startGrpcAuthorizer(closers)];
      scenario = await startScenario(
        kind,
        {
          id: "sidecar~127.0.0.1~reviews-v1.default~default.svc.cluster.local",
          metadata: {
            LABELS: { app: "reviews" },
            HTTP_PROXY_PORT: String(await freePort()),
            INGRESS: {
              [port]: `127.0.0.1:${application}`,
              [tcpPort]: `127.0.0.1:${(echo.address() as AddressInfo).port}`,
            },
          },
        },
        closers,
      );
      const own = `
apiVersion: v1
kind: Service
metadata: { name: echo, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: tcp, port: 7, targetPort: ${tcpPort} }] }
---
`;
      await scenario.apply(
        workload("reviews", port) + own + workload("ask", http.port) + workload("ask-grpc", grpc.port, "grpc"),
      );
      await vi.waitFor(async () => expect((await call(port)).status).toBe(200), soon);
    }, 60_000);
    afterEach(async () => {
      const { items } = await scenario.store.list();
      const made = items.filter(({ kind }) => kind === "AuthorizationPolicy" || kind === "MeshConfig");
      await scenario.remove(made);
    });
    afterAll(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    const path = async (it: string, headers: Record<string, string> = {}) =>
      (await call(port, { path: it, headers })).status;
    const until = (it: string, status: number, headers?: Record<string, string>) =>
      vi.waitFor(async () => expect(await path(it, headers)).toBe(status), soon);

    test("a provider over HTTP decides about what the rules choose, and says why not", async () => {
      await scenario.apply(
        meshConfig(`{ extensionProviders: [{ name: ask, envoyExtAuthzHttp: { service: ask.default.svc.cluster.local, port: 80, timeout: 5s, pathPrefix: /check,
          includeRequestHeadersInCheck: [x-let-in], includeAdditionalHeadersInCheck: { x-added: "1" }, includeRequestBodyInCheck: { maxRequestBytes: 100 },
          headersToUpstreamOnAllow: [x-user], headersToDownstreamOnAllow: [x-reason], headersToDownstreamOnDeny: ["x-rea*"] } }] }`) +
          policy(
            "asked",
            "{ action: CUSTOM, provider: { name: ask }, rules: [{ to: [{ operation: { paths: [/admin*] } }] }] }",
          ),
      );
      await until("/admin", 402);
      expect(await path("/")).toBe(200);
      const denied = await call(port, { path: "/admin/x?y=z", headers: { cookie: "a=b" } });
      expect(denied).toMatchObject({ status: 402, body: "pay first", headers: { "x-reason": "because" } });
      expect(denied.headers["x-hidden"]).toBeUndefined();
      expect(http.asked.at(-1)).toMatchObject({ path: "/check/admin/x?y=z", headers: { "x-added": "1" } });
      expect(http.asked.at(-1)?.headers.cookie).toBeUndefined();
      const allowed = await call(port, { path: "/admin", headers: { "x-let-in": "yes", "x-user": "me" } });
      expect(allowed.seen?.headers).toMatchObject({ "x-user": "asked" });
      expect(allowed.headers["x-reason"]).toBe("because");
      expect(allowed.seen?.headers["x-reason"]).toBeUndefined();
    });

    test("a provider over gRPC decides about requests and connections", async () => {
      await scenario.apply(
        meshConfig(
          `{ extensionProviders: [{ name: ask-grpc, envoyExtAuthzGrpc: { service: default/ask-grpc.default.svc.cluster.local, port: 80, timeout: 5s } }] }`,
        ) + policy("asked", "{ action: CUSTOM, provider: { name: ask-grpc }, rules: [{}] }"),
      );
      await until("/", 402);
      const headers = { "x-let-in": "yes", "x-secret": "s" };
      const { seen } = await call(port, { path: "/x", headers });
      expect(seen?.headers).toMatchObject({ "x-user": "asked-by-grpc" });
      expect(seen?.headers["x-secret"]).toBeUndefined();
      expect(grpc.asked.at(-1)?.attributes?.request?.http).toMatchObject({ method: "GET", path: "/x" });
      const says = (text: string) =>
        new Promise<string>((done) => {
          const socket = connect(tcpPort, "127.0.0.1", () => socket.write(text));
          socket.on("data", (data) => {
            done(String(data));
            socket.destroy();
          });
          socket.on("close", () => done("closed"));
          socket.on("error", () => undefined);
        });
      await vi.waitFor(async () => expect(await says("hello")).toBe("hello"), soon);
      grpc.state.letsConnectionsIn = false;
      expect(await says("hello")).toBe("closed");
      grpc.state.letsConnectionsIn = true;
    });

    test("several providers: each for its own rules, also where one's name begins like another's", async () => {
      const provider = (name: string, service: string, field: string) =>
        `{ name: ${name}, ${field}: { service: ${service}.default.svc.cluster.local, port: 80, timeout: 5s } }`;
      await scenario.apply(
        meshConfig(
          `{ extensionProviders: [${provider("a", "ask", "envoyExtAuthzHttp")}, ${provider("a-b", "ask-grpc", "envoyExtAuthzGrpc")}] }`,
        ) +
          policy(
            "one",
            "{ action: CUSTOM, provider: { name: a }, rules: [{ to: [{ operation: { paths: [/a] } }] }] }",
          ) +
          policy(
            "two",
            "{ action: CUSTOM, provider: { name: a-b }, rules: [{ to: [{ operation: { paths: [/b] } }] }] }",
          ),
      );
      await until("/a", 402);
      await until("/b", 402);
      const [before, grpcBefore] = [http.asked.length, grpc.asked.length];
      await path("/b");
      expect([http.asked.length, grpc.asked.length]).toEqual([before, grpcBefore + 1]);
      await path("/a");
      expect([http.asked.length, grpc.asked.length]).toEqual([before + 1, grpcBefore + 1]);
    });

    test("a provider that isn't there refuses what it would be asked about; one that doesn't answer, as it says", async () => {
      const dead = await freePort();
      const ask = (more: string) =>
        meshConfig(
          `{ extensionProviders: [{ name: dead, envoyExtAuthzHttp: { service: dead.default.svc.cluster.local, port: 80, timeout: 1s${more} } }] }`,
        );
      const asked = policy(
        "asked",
        "{ action: CUSTOM, provider: { name: dead }, rules: [{ to: [{ operation: { paths: [/admin] } }] }] }",
      );
      await scenario.apply(asked);
      await until("/admin", 403);
      expect(await path("/")).toBe(200);
      await scenario.apply(workload("dead", dead) + ask(`, statusOnError: "503"`));
      await until("/admin", 503);
      await scenario.apply(ask(", failOpen: true"));
      await until("/admin", 200);
    });

    test("DENY goes before ALLOW, and templates of paths take whole segments", async () => {
      await scenario.apply(
        policy(
          "allow",
          `{ rules: [{ to: [{ operation: { paths: ["/shop/{*}/cart/{**}", "/{*}"], notPaths: ["/secret"] } }] }] }`,
        ) + policy("deny", `{ action: DENY, rules: [{ to: [{ operation: { paths: ["/shop/{*}/cart/admin"] } }] }] }`),
      );
      await until("/shop", 200);
      await until("/shop/x/cart/admin", 403);
      const table: [string, number][] = [
        ["/shop/x/cart/a", 200],
        ["/shop/x/cart/a/b/c?q=/shop", 200],
        ["/shop/x/y/cart/a", 403],
        ["/shop/cart/a", 403],
        ["/other/x", 403],
        ["/secret", 403],
        ["/shop/x/cart/admin?x", 403],
        ["/shop//cart/a", 403],
      ];
      for (const [it, status] of table) expect([it, await path(it)]).toEqual([it, status]);
    });

    test("on trial: nobody is refused; it is counted under Istio's names", async () => {
      await scenario.apply(
        policy(
          "trial-deny",
          "{ action: DENY, rules: [{ to: [{ operation: { paths: [/x] } }] }] }",
          `istio.io/dry-run: "true"`,
        ) + policy("trial-allow", "{ rules: [{ to: [{ operation: { paths: [/y] } }] }] }", `istio.io/dry-run: "1"`),
      );
      const count = async (name: string) => {
        const stats = await scenario.proxy.admin(`/stats?filter=rbac.${name}$`);
        return Number(/: (\d+)/.exec(stats)?.[1] ?? 0);
      };
      await vi.waitFor(async () => {
        expect(await path("/x")).toBe(200);
        expect(await count("istio_dry_run_deny_.shadow_denied")).toBeGreaterThan(0);
      }, soon);
      const [denied, notAllowed] = [
        await count("istio_dry_run_deny_.shadow_denied"),
        await count("istio_dry_run_allow_.shadow_denied"),
      ];
      expect(await path("/y")).toBe(200);
      expect(await path("/x")).toBe(200);
      await vi.waitFor(async () => {
        expect(await count("istio_dry_run_deny_.shadow_denied")).toBe(denied + 1);
        expect(await count("istio_dry_run_allow_.shadow_denied")).toBe(notAllowed + 1);
      }, soon);
    });

    test("AUDIT refuses nobody", async () => {
      await scenario.apply(policy("audit", "{ action: AUDIT, rules: [{}] }"));
      const logged = async () => /rbac\.allowed: (\d+)/.exec(await scenario.proxy.admin("/stats?filter=rbac"))?.[1];
      await vi.waitFor(async () => {
        expect(await path("/")).toBe(200);
        expect(Number(await logged())).toBeGreaterThan(0);
      }, soon);
    });

    describe("what is denied stays denied, however its path is written", () => {
      const denyAdmin = policy(
        "deny",
        `{ action: DENY, rules: [{ to: [{ operation: { paths: ["/admin", "/admin/*"] } }] }] }`,
      );
      // Against BASE, slashes that are doubled or encoded are other paths; so is another case.
      const always = [
        "/admin",
        "/admin/",
        "/x/../admin",
        "/./admin",
        "/admin/x",
        "/x/%2e%2e/admin",
        "/%61dmin",
        "/x\\..\\admin",
        "/admin?x",
        "/admin#x",
        "/admin/../admin/./x",
      ];
      const slashes = ["//admin", "/x/..//admin", "///admin//x"];
      const encoded = ["/%2fadmin", "/x/..%2fadmin", "/%5cadmin", "/admin%2Fx", "/x%2f..%2fadmin"];
      const refused = [400, 403, 404, 302, 307];

      test.each([
        ["BASE", always, []],
        ["MERGE_SLASHES", [...always, ...slashes], []],
        ["DECODE_AND_MERGE_SLASHES", [...always, ...slashes, ...encoded], []],
        ["NONE", ["/admin", "/admin/x", "/admin?x"], ["/x/../admin"]],
      ])("%s", async (normalization, denied, through) => {
        await scenario.apply(denyAdmin + meshConfig(`{ pathNormalization: { normalization: ${normalization} } }`));
        await until("/admin", 403);
        const probe = {
          BASE: undefined,
          MERGE_SLASHES: "//admin",
          DECODE_AND_MERGE_SLASHES: "/%2fadmin",
          NONE: undefined,
        }[normalization];
        if (probe) await until(probe, 403);
        if (normalization === "NONE") await until("/x/../admin", 200);
        for (const it of denied) expect([it, refused.includes(await path(it))]).toEqual([it, true]);
        for (const it of through) expect([it, await path(it)]).toEqual([it, 200]);
      });
    });
  });
});
