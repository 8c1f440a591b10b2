import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newSecret } from "../access/secrets.ts";
import { ownAddress } from "../contract/index.ts";
import { startConsole, type TestConsole } from "./testing/console.ts";

let server: TestConsole;
let host: string;
let own: Record<string, string>;
const operator = [{ role: "operator" as const, namespace: "*" }];
const json = { "content-type": "application/json" };
const body = JSON.stringify({ yaml: "kind: x" });

beforeEach(async () => {
  server = await startConsole();
  host = `127.0.0.1:${server.port}`;
  own = { ...json, host, origin: `http://${host}` };
});
afterEach(() => server.close());

const apply = (headers: Record<string, string>, sent = body) => server.ask("POST", "/api/apply", headers, sent);
const enter = (link: string, headers = {}) =>
  server.ask("POST", "/api/sign-in/link", { ...own, ...headers }, JSON.stringify({ link }));
const cookieOf = (headers: NodeJS.Dict<string | string[]>): string => String(headers["set-cookie"]).split(";")[0] ?? "";

describe("other sites", () => {
  it("can't reach the console under a name of their own: DNS rebinding", async () => {
    const cookie = await server.sessionOf("ann", operator);
    for (const name of [
      "evil.example",
      `evil.example:${server.port}`,
      "127.0.0.1.evil.example",
      "0x7f.1.evil.example",
    ]) {
      const headers = { cookie, host: name, origin: `http://${name}`, ...json };
      expect((await server.ask("GET", "/api/status", headers)).status, name).toBe(421);
      expect((await apply(headers)).status, name).toBe(421);
      expect((await server.ask("GET", "/overview", headers)).status, name).toBe(421);
    }
    const { entries } = await server.access.audit({ limit: 1 });
    expect(entries).toMatchObject([
      { actor: "", action: "GET /overview", target: "http://0x7f.1.evil.example", result: "refused" },
    ]);
    expect(entries[0]?.reason).toContain("0x7f.1.evil.example");
  });

  it("can't write with somebody's cookie: CSRF", async () => {
    const cookie = await server.sessionOf("ann", operator);
    expect((await apply({ ...own, cookie })).status).toBe(200);
    const foreign: Record<string, string>[] = [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${server.port + 1}` },
      { origin: `http://localhost:${server.port}` },
      { origin: `http://${host}`, "sec-fetch-site": "cross-site" },
      { origin: `http://${host}`, "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
      {},
    ];
    for (const headers of foreign)
      expect((await apply({ ...json, host, cookie, ...headers })).status, JSON.stringify(headers)).toBe(403);
    const refused = (await server.access.audit({ limit: 20 })).entries.filter(({ result }) => result === "refused");
    expect(refused).toHaveLength(foreign.length);
    expect(refused.map(({ target }) => target)).toContain("http://evil.example");
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
      expect((await apply({ ...own, cookie, "content-type": type })).status, type).toBe(400);
    for (const path of ["/api/sign-out", "/api/sign-in/link", "/api/sign-in/password"])
      expect(
        (await server.ask("POST", path, { ...json, host, cookie, origin: "http://evil.example" }, "{}")).status,
      ).toBe(403);
  });

  it("can't lead anywhere else after signing in", () => {
    for (const next of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/.//evil.example",
      "/x/..//evil.example",
      "/\t/evil.example",
      "javascript:alert(1)",
      "/api/sign-out",
      "/sign-in",
      "",
      7,
      undefined,
    ])
      expect(ownAddress(next), String(next)).toBe("/");
    expect(ownAddress("/services/shop/reviews?tab=config")).toBe("/services/shop/reviews?tab=config");
  });
});

describe("sessions", () => {
  it("are new at each sign-in, and the one that was there before is over: fixation", async () => {
    const planted = await server.sessionOf("mallory", operator);
    const { link } = await server.access.signIn.makeLink(undefined);
    const signed = await enter(link, { cookie: planted });
    const mine = cookieOf(signed.headers);
    expect(mine).not.toBe(planted);
    expect(String(signed.headers["set-cookie"])).toMatch(
      /^limpid-session-3000=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
    );
    expect((await server.ask("GET", "/api/session", { cookie: planted })).status).toBe(401);
    expect((await server.ask("GET", "/api/session", { cookie: mine })).status).toBe(200);
    const made = `limpid-session-3000=${newSecret()}`;
    const { link: second } = await server.access.signIn.makeLink(undefined);
    expect(cookieOf((await enter(second, { cookie: made })).headers)).not.toBe(made);
    expect((await server.ask("GET", "/api/session", { cookie: made })).status).toBe(401);
  });

  it("are nothing any more after signing out, here or everywhere", async () => {
    const [one, two, three] = [
      await server.sessionOf("ann", operator),
      await server.sessionOf("ann", operator),
      await server.sessionOf("ann", operator),
    ];
    const left = await server.ask("POST", "/api/sign-out", { ...own, cookie: one }, "{}");
    expect(String(left.headers["set-cookie"])).toContain("Max-Age=0");
    expect((await server.ask("GET", "/api/session", { cookie: one })).status).toBe(401);
    expect((await server.ask("GET", "/api/session", { cookie: two })).status).toBe(200);
    await server.ask("POST", "/api/sign-out", { ...own, cookie: two }, '{"everywhere":true}');
    expect((await server.ask("GET", "/api/session", { cookie: three })).status).toBe(401);
  });

  it("are no tokens, nor tokens sessions; and neither comes in an address", async () => {
    const cookie = await server.sessionOf("ann", operator);
    const [name = "", secret = ""] = cookie.split("=");
    const token = await server.tokenOf("bob", operator);
    expect((await server.ask("GET", "/api/status", { authorization: `Bearer ${secret}` })).status).toBe(401);
    expect((await server.ask("GET", "/api/status", { cookie: `${name}=${token}` })).status).toBe(401);
    for (const query of ["token", "access_token", name])
      expect((await server.ask("GET", `/api/status?${query}=${token}`)).status).toBe(401);
    // A wrong token is no reason to look at the cookie.
    expect((await server.ask("GET", "/api/status", { cookie, authorization: "Bearer x" })).status).toBe(401);
  });
});

describe("secrets", () => {
  it("of links are good once, also when many come at the same time: replay", async () => {
    const { link } = await server.access.signIn.makeLink(undefined);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => enter(link)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(401)]);
    expect((await enter(link)).status).toBe(401);
    for (const odd of ["", "'", "%00", link.toUpperCase(), ` ${link}`])
      expect((await enter(odd)).status).toBeGreaterThan(399);
  });

  it("can't be guessed, and whoever tries is slowed down and written down", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) statuses.push((await enter(newSecret())).status);
    expect([new Set(statuses.slice(0, 30)), statuses[30]]).toEqual([new Set([401]), 429]);
    const token = await server.tokenOf("bob", operator);
    const [, id] = token.split("_");
    const guesses = [
      `limpid_${id}_${newSecret()}`,
      `limpid_${"0".repeat(12)}_${newSecret()}`,
      `limpid_${id}_`,
      `${token}x`,
      token.slice(0, -1),
      `limpid_machine_${newSecret()}`,
      "limpid_machine_",
      server.machineToken.slice(0, -1),
    ];
    for (const guess of guesses)
      expect((await server.ask("GET", "/api/status", { authorization: `Bearer ${guess}` })).status, guess).toBe(401);
    expect((await server.ask("GET", "/api/status", { authorization: `Bearer ${token}` })).status).toBe(200);
    const guess = async (token: string) =>
      (await server.ask("GET", "/api/status", { authorization: `Bearer ${token}` })).status;
    const more = [];
    for (let i = guesses.length; i < 32; i++) more.push(await guess(`limpid_${id}_${newSecret()}`));
    expect([new Set(more.slice(0, -2)), more.slice(-2)]).toEqual([new Set([401]), [429, 429]]);
    expect(await guess(token)).toBe(200);
    const { entries } = await server.access.audit({ result: "refused", limit: 100 });
    expect(entries.filter(({ way }) => way === "token").length).toBe(30);
    expect(JSON.stringify(entries)).not.toContain(id);
  });

  it("are never JWTs, whatever their algorithm says: confusion", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = part({ sub: "admin", role: "administrator", exp: 4_000_000_000 });
    const hmac = (key: string) => {
      const signed = `${part({ alg: "HS256", typ: "JWT" })}.${claims}`;
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    };
    for (const token of [`${part({ alg: "none" })}.${claims}.`, hmac(""), hmac("secret"), hmac(server.machineToken)])
      expect((await server.ask("GET", "/api/status", { authorization: `Bearer ${token}` })).status).toBe(401);
  });
});

describe("addresses and heads", () => {
  it("lead to no page by dots, escapes or a name that only Next would understand", async () => {
    for (const path of [
      "/_next/static/../../overview",
      "/_next/static/%2e%2e/%2e%2e/overview",
      "/_next/static/..%2f..%2foverview",
      "/_next/static/..%5c..%5coverview",
      "/_next/image?url=/overview",
      "/_next/data/x/overview.json",
      "/sign-in/../overview",
      "/%6fverview",
      "/overview?_rsc=1",
    ]) {
      const { status, headers } = await server.ask("GET", path, { rsc: "1", "x-middleware-subrequest": "middleware" });
      expect([status, String(headers.location).startsWith("/sign-in")], path).toEqual([307, true]);
    }
  });

  it("can't claim to be somebody", async () => {
    const claimed = encodeURIComponent(
      JSON.stringify({ name: "admin", grants: [{ role: "administrator", namespace: "*" }] }),
    );
    const sent = { "x-limpid-caller": claimed, "x-limpid-user": "admin", "x-limpid-grants": "administrator@*" };
    expect((await server.ask("GET", "/api/status", sent)).status).toBe(401);
    expect(JSON.parse((await server.ask("GET", "/sign-in", sent)).body).caller).toBeNull();
    const cookie = await server.sessionOf("vera", [{ role: "viewer", namespace: "*" }]);
    const { caller } = JSON.parse((await server.ask("GET", "/overview", { ...sent, cookie })).body);
    expect(JSON.parse(decodeURIComponent(caller))).toMatchObject({ name: "vera", grants: [{ role: "viewer" }] });
    expect((await server.ask("GET", "/api/users", { ...sent, cookie })).status).toBe(403);
  });
});
