import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Closers,
  freePort,
  proxyKinds,
  type Scenario,
  startApplication,
  startScenario,
} from "./testing/scenario.ts";

// What an attacker writes is not what a client library would send: each request line goes over a socket as it stands here. What one kind of proxy refuses the
// other refuses, too; the rules are those of both.

const soon = { timeout: 20_000, interval: 50 };

const workload = (port: number) => `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.0.1, labels: { app: reviews } }
---
`;

const denied = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: denied, namespace: default }
spec:
  action: DENY
  rules:
    - to: [{ operation: { paths: ["/admin", "/admin/*", "*.secret", "/files/{*}/own"] } }]
    - to: [{ operation: { hosts: ["admin.example.com", "*.admin.example.com"] } }]
    - to: [{ operation: { methods: [DELETE] } }]
---
`;

const normalized = (how: string) => `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { pathNormalization: { normalization: ${how} } }
---
`;

/** Other ways to write what is denied, by what it takes to see that. */
const disguises = {
  /** Nothing. */
  plain: [
    "/admin",
    "/admin/",
    "/admin/x",
    "/admin//",
    "/admin?",
    "/admin?x",
    "/admin?/../x",
    "HTTP://reviews/admin",
    "/x.secret",
    "/x.secret?",
    "/files/a/own",
    "/files/;/own",
  ],
  /** RFC 3986 §6.2.2: dots, and encoded letters; besides, parameters of a segment of dots, and backslashes. */
  base: [
    ...[
      "/./admin",
      "/x/../admin",
      "/x/./../admin",
      "/../admin",
      "/../../admin",
      "/x/y/../../admin",
      "http://reviews/x/../admin",
    ],
    ...["/%2e/admin", "/%2E/admin", "/%2e%2e/admin", "/x/%2e%2e/admin", "/x/.%2e/admin", "/x/%2e./admin"],
    ...["/%61dmin", "/%61%64%6d%69%6e", "/x.%73ecret", "/files/%2e%2e/files/a/own", "/files/a/x/../own"],
    ...["/;x/../admin", "/x/..;/admin", "/x/..;a=b/admin", "/.;/admin"],
    ...["/admin\\x", "/x\\..\\admin"],
  ],
  merge: ["//admin", "///admin", "/.//admin", "//x/../admin", "/x/..//admin", "http://reviews//admin"],
  decode: ["/admin%2f", "/admin%2Fx", "/%2fadmin", "/x%2f..%2fadmin", "/x/..%2fadmin", "/admin%5cx"],
};
/** Other paths, however much they look like it: letters have a case, and a segment with a parameter is a segment. */
const others = [
  ...[
    "/ADMIN",
    "/Admin",
    "/%41dmin",
    "/x.SECRET",
    "/admin.",
    "/admin%20",
    "/admin%0a",
    "/admin;x",
    "/admin;/x",
    "/;/admin",
    "/x.secret;y",
  ],
  ...[
    "/x//../admin",
    "/x?/../admin",
    "/x?y=/admin",
    "/admin%3fx",
    "/admin%23x",
    "/x.secret/",
    "/x.secret/y",
    "/files//own",
    "/files/a/b/own",
  ],
  ...["/%2561dmin", "/%c0%afadmin", "/%u002fadmin", "/%adm", "/admin%"],
];
const broken = ["/admin%00", "/admin%00x", "/%00/admin"];

type Normalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
const seenThrough: Record<Normalization, (keyof typeof disguises)[]> = {
  NONE: ["plain"],
  BASE: ["plain", "base"],
  MERGE_SLASHES: ["plain", "base", "merge"],
  DECODE_AND_MERGE_SLASHES: ["plain", "base", "merge", "decode"],
};
const normalizations: Normalization[] = ["NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES", "BASE"];

interface Wire {
  method?: string;
  target?: string;
  host?: string;
}

describe.each(proxyKinds)("$kind", (kind) => {
  describe.skipIf(kind.missing)("requests that want to look like another", () => {
    const closers: Closers = [];
    let scenario: Scenario;
    let port = 0;

    async function status({ method = "GET", target = "/", host = "reviews" }: Wire): Promise<number> {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      socket
        .on("error", () => undefined)
        .on("data", (bytes) => {
          text += bytes.toString("latin1");
        });
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, "latin1");
      await once(socket, "close");
      return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
    }
    const statuses = async (targets: readonly string[]) =>
      Object.fromEntries(await Promise.all(targets.map(async (target) => [target, await status({ target })] as const)));
    const all = (targets: readonly string[], code: number) => Object.fromEntries(targets.map((it) => [it, code]));

    beforeAll(async () => {
      port = await freePort();
      const application = await startApplication(closers);
      scenario = await startScenario(
        kind,
        {
          id: "sidecar~127.0.0.1~reviews-v1.default~default.svc.cluster.local",
          metadata: {
            LABELS: { app: "reviews" },
            HTTP_PROXY_PORT: String(await freePort()),
            INGRESS: { [port]: `127.0.0.1:${application}` },
          },
        },
        closers,
      );
      await scenario.apply(workload(port) + denied);
      await vi.waitFor(async () => expect(await status({ target: "/admin" })).toBe(403), soon);
    }, 60_000);
    afterAll(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    test.each(normalizations)("paths, with %s", async (how) => {
      await scenario.apply(normalized(how));
      // A listener's successor takes the place of the one before a moment after the proxy has agreed to it.
      await vi.waitFor(
        async () => expect(await status({ target: "/x/../admin" })).toBe(how === "NONE" ? 200 : 403),
        soon,
      );
      await vi.waitFor(
        async () => expect(await status({ target: "//admin" })).toBe(/MERGE/.test(how) ? 403 : 200),
        soon,
      );
      await vi.waitFor(
        async () => expect(await status({ target: "/%2fadmin" })).toBe(/DECODE/.test(how) ? 403 : 200),
        soon,
      );
      const seen = seenThrough[how].flatMap((by) => disguises[by]);
      const unseen = Object.values(disguises)
        .flat()
        .filter((target) => !seen.includes(target));
      expect(await statuses(seen)).toEqual(all(seen, 403));
      // They come through as they are: to an application that reads them otherwise, another normalization is the answer.
      expect(await statuses([...unseen, ...others])).toEqual(all([...unseen, ...others], 200));
      expect(await statuses(broken)).toEqual(all(broken, how === "NONE" ? 200 : 400));
      expect(await statuses(["/admin#x", "\\admin"])).toEqual(all(["/admin#x", "\\admin"], 400));
    });

    test.each<[string, Wire, number]>([
      ["as it is", { host: "admin.example.com" }, 403],
      ["capitals", { host: "Admin.EXAMPLE.com" }, 403],
      ["a dot at the end", { host: "admin.example.com." }, 403],
      ["below it", { host: "x.admin.example.com" }, 403],
      ["below it, with a dot and capitals", { host: "X.Admin.example.com." }, 403],
      ["spaces", { host: "  admin.example.com " }, 403],
      ["in the request line", { target: "http://admin.example.com/", host: "reviews" }, 403],
      ["in the head, which counts less", { target: "http://reviews/", host: "admin.example.com" }, 200],
      ["a name that ends alike", { host: "xadmin.example.com" }, 200],
      // Istio's, too: who denies a host names it with any port as well.
      ["a port", { host: "admin.example.com:80" }, 200],
    ])("hosts: %s", async (_, wire, code) => expect(await status(wire)).toBe(code));

    // Encoded dots with a parameter, which Envoy decodes and doesn't resolve; and a name of somebody at a host.
    test.each<[Wire, number, number]>([
      [{ target: "/x/%2e%2e;/admin" }, 403, 200],
      [{ host: "somebody@admin.example.com" }, 400, 200],
    ])("%o is refused by the bundled sidecar alone", async (wire, own, envoys) => {
      expect(await status(wire)).toBe(kind.kind === "Envoy" ? envoys : own);
    });

    test("methods have a case, and are known or refused", async () => {
      expect(await status({ method: "DELETE" })).toBe(403);
      for (const method of ["delete", "Delete", "XDELETE", "DELETE2"])
        expect([method, await status({ method })]).toEqual([method, 400]);
    });
  });
});
