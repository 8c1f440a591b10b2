import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry, Grant } from "../contract/index.ts";
import { startConsole, type TestConsole } from "./testing/console.ts";

/**
 * Where a write is written down: `here`, under this name; `there`, by the control plane, which is told for whom it writes; a try to `signIn`, by the ways in
 * themselves. What `asks` writes nothing, and comes as a POST since its question is too long or too secret for an address.
 */
type Written = { here: string } | { there: object } | { signIn: object } | "asks";

const fault = {
  namespace: "shop",
  service: "web",
  delay: null,
  abort: { percentage: 1, httpStatus: 503 },
  header: null,
};
const canary = { namespace: "shop", name: "web", spec: {} };

const writes: Record<string, Written> = {
  "POST /api/sign-in/password": { signIn: { name: "vera", password: "guessed" } },
  "POST /api/sign-in/link": { signIn: { link: "guessed" } },
  "POST /api/sign-in-links": { here: "link.create" },
  "POST /api/sign-out": { here: "sign-out" },
  "PUT /api/session/password": { here: "password.change" },
  "POST /api/users": { here: "user.create" },
  "PUT /api/users/:name": { here: "user.change" },
  "DELETE /api/users/:name": { here: "user.delete" },
  "POST /api/users/:name/sign-out": { here: "user.sign-out" },
  "POST /api/tokens": { here: "token.create" },
  "DELETE /api/tokens/:id": { here: "token.revoke" },
  "PUT /api/services/:namespace/:name/routing/weights": { there: { rule: 0, weights: {}, resourceVersion: null } },
  "POST /api/faults": { there: { ...fault, durationSec: 60 } },
  "DELETE /api/faults/:namespace/:virtualService/:id": { there: {} },
  "POST /api/canaries": { there: canary },
  "POST /api/canaries/:namespace/:name/:action": { there: {} },
  "POST /api/undo": { there: { revision: 2 } },
  "POST /api/apply": { there: { yaml: "kind: x" } },
  "POST /api/mesh/compare": "asks",
  "POST /api/mesh/restore": { there: { revision: 2 } },
  "POST /api/mesh/import": { there: { yaml: "kind: x" } },
  "PUT /api/designs/:name": { there: { of: { now: true } } },
  "DELETE /api/designs/:name": { there: {} },
  "PUT /api/thresholds": { there: {} },
  "POST /api/security/certificates/revoke": { there: { spiffeUri: "spiffe://cluster.local/ns/shop/sa/cart" } },
  "POST /api/security/certificates/restore": { there: { spiffeUri: "spiffe://cluster.local/ns/shop/sa/cart" } },
  "DELETE /api/proxies/:id": { there: {} },
  "PUT /api/alerts/receivers/:name": { here: "alert-receiver.set" },
  "DELETE /api/alerts/receivers/:name": { here: "alert-receiver.delete" },
  "POST /api/alerts/receivers/:name/test": { here: "alert-receiver.test" },
  "POST /api/load-tests": { here: "load-test.start" },
  "DELETE /api/load-tests/running": { here: "load-test.stop" },
  "POST /api/load-tests/reports": { here: "load-test.keep" },
  "DELETE /api/load-tests/:id": { here: "load-test.delete" },
  "PUT /api/proxies/:id/log-level": { here: "proxy.log-level" },
  "PUT /api/retention": { here: "retention.set" },
  "POST /api/advice/check": "asks",
  "POST /api/explain": "asks",
};

const people: Record<string, Grant[]> = {
  vera: [{ role: "viewer", namespace: "*" }],
  otto: [{ role: "operator", namespace: "*" }],
  ada: [{ role: "administrator", namespace: "*" }],
};

describe("every write", () => {
  let server: TestConsole;
  const tokens: Record<string, string> = {};
  beforeAll(async () => {
    server = await startConsole();
    for (const [name, grants] of Object.entries(people)) tokens[name] = await server.tokenOf(name, grants);
  });
  afterAll(() => server?.close());

  const routes = () => server.api.list.filter(({ method }) => method !== "GET");

  /** The status of a try, and what the audit has of it. */
  async function attempt(who: string, { method, pattern }: { method: string; pattern: string }) {
    const [last] = (await server.access.audit({ limit: 1 })).entries;
    const known = writes[`${method} ${pattern}`];
    const samples: Record<string, string> = { namespace: "shop", action: "pause" };
    const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => samples[name] ?? "nobody");
    const body =
      known === "asks" || known === undefined || "here" in known ? {} : "there" in known ? known.there : known.signIn;
    const token: Record<string, string> = who === "nobody" ? {} : { authorization: `Bearer ${tokens[who]}` };
    server.asked.length = 0;
    const headers = { "content-type": "application/json", ...token };
    const { status } = await server.ask(method, path, headers, JSON.stringify(body));
    const { entries } = await server.access.audit({ limit: 10 });
    return { status, path, entries: entries.filter(({ id }) => id > (last?.id ?? 0)) };
  }

  it("says where it is written down", () => {
    const found = routes().map(({ method, pattern }) => `${method} ${pattern}`);
    expect(found.filter((route) => writes[route] === undefined)).toEqual([]);
    expect(Object.keys(writes).filter((route) => !found.includes(route))).toEqual([]);
    const named = routes().flatMap(({ method, pattern, deed }) =>
      deed ? [[`${method} ${pattern}`, { here: deed }]] : [],
    );
    const here = Object.entries(writes).filter(([, it]) => it !== "asks" && "here" in it);
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(here));
  });

  it("is in the audit when it is refused: to whom, and what", async () => {
    const wrong: unknown[] = [];
    let refused = 0;
    for (const route of routes().filter(({ need }) => need !== "everybody")) {
      const name = `${route.method} ${route.pattern}`;
      for (const who of ["nobody", "vera", "otto"]) {
        const { status, path, entries } = await attempt(who, route);
        if (status !== (who === "nobody" ? 401 : 403)) {
          if (who === "nobody") wrong.push([name, who, status]);
          continue;
        }
        refused += 1;
        const [entry, ...more] = entries;
        const known = writes[name];
        const action = known !== undefined && known !== "asks" && "here" in known ? known.here : name;
        const target = path.includes("nobody") && /:(?:name|id)/.test(route.pattern) ? "nobody" : path;
        const said: Partial<AuditEntry> = {
          actor: who === "nobody" ? "" : who,
          way: who === "nobody" ? "" : "token",
          address: "127.0.0.1",
          action,
          target,
          result: "refused",
        };
        const isSaid = entry && Object.entries(said).every(([key, value]) => entry[key as keyof AuditEntry] === value);
        if (!isSaid || more.length > 0 || entry.reason === "") wrong.push([name, who, status, said, entries]);
        if (server.asked.length > 0) wrong.push([name, who, "came through", server.asked]);
      }
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(60);
  }, 120_000);

  it("is in the audit when it is let in, here or where it is made", async () => {
    const wrong: unknown[] = [];
    for (const route of routes()) {
      const name = `${route.method} ${route.pattern}`;
      const { status, entries } = await attempt("ada", route);
      const known = writes[name];
      const own = entries.filter(({ actor }) => actor === "ada");
      if (known === "asks" || known === undefined) {
        if (entries.length > 0) wrong.push([name, status, entries]);
      } else if ("signIn" in known) {
        const [entry] = entries;
        const isSaid = entry?.actor === "" && entry.action === "sign-in" && entry.result === "refused";
        if (status !== 401 || !isSaid) wrong.push([name, status, entries]);
      } else if ("here" in known) {
        const isThere = own.length === 1 && own[0]?.action === known.here && own[0].result !== "refused";
        if (!isThere || own[0]?.way !== "token") wrong.push([name, status, entries]);
      } else {
        const isFor = server.asked.some(({ args }) =>
          args.some(
            (arg) =>
              JSON.stringify(arg)?.includes('"user":"ada"') &&
              JSON.stringify(arg).includes(
                '"onBehalf":{"grants":[{"role":"administrator","namespace":"*"}],"way":"token","address":"127.0.0.1"}',
              ),
          ),
        );
        if (status !== 200 || !isFor) wrong.push([name, status, server.asked]);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});
