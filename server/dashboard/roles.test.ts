import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Grant } from "../contract/index.ts";
import { startConsole, type TestConsole } from "./testing/console.ts";

/** Who stands in which column. Namespaces of addresses are `shop`. */
const people: Record<string, Grant[] | undefined> = {
  nobody: undefined,
  viewer: [{ role: "viewer", namespace: "*" }],
  "operator elsewhere": [{ role: "operator", namespace: "elsewhere" }],
  "operator there": [{ role: "operator", namespace: "shop" }],
  operator: [{ role: "operator", namespace: "*" }],
  "administrator there": [{ role: "administrator", namespace: "shop" }],
  administrator: [{ role: "administrator", namespace: "*" }],
};
const everybody = Object.keys(people);
const signedIn = everybody.slice(1);
const anyOperator = signedIn.slice(1);
const there = ["operator there", "operator", "administrator there", "administrator"];
const wholeMesh = ["operator", "administrator"];
const anyAdministrator = ["administrator there", "administrator"];
const administrator = ["administrator"];

/** Every write of the API; what only reads is for all who have signed in, but for what is named here. */
const allowed: Record<string, readonly string[]> = {
  "GET /api/sign-in": everybody,
  "POST /api/sign-in/password": everybody,
  "POST /api/sign-in/link": everybody,
  "POST /api/sign-in-links": administrator,
  "POST /api/sign-out": signedIn,
  "PUT /api/session/password": signedIn,
  "GET /api/users": anyAdministrator,
  "POST /api/users": anyAdministrator,
  "PUT /api/users/:name": anyAdministrator,
  "DELETE /api/users/:name": anyAdministrator,
  "POST /api/users/:name/sign-out": anyAdministrator,
  "POST /api/tokens": signedIn,
  "DELETE /api/tokens/:id": signedIn,
  "GET /api/audit": administrator,
  "PUT /api/services/:namespace/:name/routing/weights": there,
  "POST /api/faults": anyOperator,
  "DELETE /api/faults/:namespace/:virtualService/:id": there,
  "POST /api/canaries": anyOperator,
  "POST /api/canaries/:namespace/:name/:action": there,
  "POST /api/undo": anyOperator,
  "POST /api/apply": anyOperator,
  "POST /api/mesh/compare": signedIn,
  "POST /api/mesh/restore": anyOperator,
  "POST /api/mesh/import": anyOperator,
  "PUT /api/designs/:name": wholeMesh,
  "DELETE /api/designs/:name": wholeMesh,
  "PUT /api/alerts/receivers/:name": administrator,
  "DELETE /api/alerts/receivers/:name": administrator,
  "POST /api/alerts/receivers/:name/test": administrator,
  "POST /api/security/certificates/revoke": administrator,
  "POST /api/security/certificates/restore": administrator,
  "POST /api/load-tests": wholeMesh,
  "DELETE /api/load-tests/running": wholeMesh,
  "POST /api/load-tests/reports": wholeMesh,
  "DELETE /api/load-tests/:id": wholeMesh,
  "DELETE /api/proxies/:id": wholeMesh,
  "PUT /api/proxies/:id/log-level": wholeMesh,
  "PUT /api/retention": wholeMesh,
  "PUT /api/thresholds": anyOperator,
  "POST /api/advice/check": signedIn,
  "POST /api/explain": signedIn,
};

const pages: Record<string, readonly string[]> = {
  "/sign-in": everybody,
  "/icon.svg": everybody,
  "/_next/static/chunks/a.js": everybody,
  "/": signedIn,
  "/overview": signedIn,
  "/services/shop/reviews": signedIn,
  "/config/new": signedIn,
  "/settings": signedIn,
  "/no-such-page": signedIn,
  "/users": anyAdministrator,
  "/%75sers": anyAdministrator,
  "/users/": anyAdministrator,
  "/audit": administrator,
};

describe("role × route", () => {
  let server: TestConsole;
  const tokens: Record<string, string> = {};
  beforeAll(async () => {
    server = await startConsole();
    for (const [who, grants] of Object.entries(people)) {
      if (grants) tokens[who] = await server.tokenOf(who.replaceAll(" ", "-"), grants);
    }
  });
  afterAll(() => server?.close());
  const headers = (who: string): Record<string, string> =>
    tokens[who] === undefined ? {} : { authorization: `Bearer ${tokens[who]}` };

  it("has a row for every write, and no row too many", () => {
    const routes = server.api.list.map(({ method, pattern }) => `${method} ${pattern}`);
    expect(routes.filter((route) => !route.startsWith("GET ") && allowed[route] === undefined)).toEqual([]);
    expect(Object.keys(allowed).filter((route) => !routes.includes(route))).toEqual([]);
    expect(new Set(routes).size).toBe(routes.length);
  });

  it("lets in whom it should at every route, and nobody else", async () => {
    const found: string[] = [];
    const expected: string[] = [];
    for (const { method, pattern } of server.api.list) {
      const path = pattern.replaceAll(/:(\w+)/g, (_, name) => (name === "namespace" ? "shop" : "nobody"));
      for (const who of everybody) {
        const more: Record<string, string> = method === "GET" ? {} : { "content-type": "application/json" };
        const { status } = await server.ask(
          method,
          path,
          { ...headers(who), ...more },
          method === "GET" ? undefined : "{}",
        );
        const outcome = status === 401 ? "unknown" : status === 403 ? "refused" : "let in";
        const may = (allowed[`${method} ${pattern}`] ?? signedIn).includes(who);
        found.push(`${method} ${pattern} as ${who}: ${outcome}`);
        // The ways in themselves answer 401 to what is no password and no link.
        const wrong = pattern.startsWith("/api/sign-in/") && status === 401;
        expected.push(
          `${method} ${pattern} as ${who}: ${wrong ? "unknown" : may ? "let in" : who === "nobody" ? "unknown" : "refused"}`,
        );
      }
    }
    expect(found).toEqual(expected);
    expect(found.length).toBeGreaterThan(350);
    // Hundreds of calls, each with its line in the audit.
  }, 180_000);

  it.each(Object.entries(pages))("page %s", async (path, may) => {
    const found = [];
    for (const who of everybody) {
      const answer = await server.ask("GET", path, headers(who));
      found.push([who, answer.status]);
      if (answer.status === 307) expect(String(answer.headers.location)).toMatch(/^\/sign-in(?:\?|$)/);
    }
    expect(found).toEqual(everybody.map((who) => [who, may.includes(who) ? 200 : who === "nobody" ? 307 : 403]));
  });
});
