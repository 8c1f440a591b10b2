import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Answer,
  type Closers,
  call,
  freePort,
  proxyKinds,
  type Scenario,
  startApplication,
  startScenario,
} from "./testing/scenario.ts";
import { Issuer, unsigned } from "./testing/tokens.ts";

const soon = { timeout: 20_000, interval: 50 };
const later = () => Math.floor(Date.now() / 1000) + 3_600;

const reviews = (port: number) => `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.0.1, labels: { app: reviews } }
`;

describe.each(proxyKinds)("$kind", (kind) => {
  describe.skipIf(kind.missing)("tokens", () => {
    const closers: Closers = [];
    const [local, remote, other] = [new Issuer(), new Issuer("remote-1"), new Issuer()];
    const served = remote.jwks;
    let fetches = 0;
    let scenario: Scenario;
    let port = 0;

    const get = (token: string | undefined, path = "/", headers: Record<string, string> = {}) =>
      call(port, { path, headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers } });
    const claims = (more: Record<string, unknown> = {}) => ({
      iss: "local",
      sub: "me",
      aud: "shop",
      exp: later(),
      ...more,
    });

    beforeAll(async () => {
      const keys = createServer((_, response) => {
        fetches += 1;
        response.end(served);
      });
      await new Promise<void>((done) => keys.listen(0, "127.0.0.1", done));
      closers.push(() => keys.close());
      const keysPort = (keys.address() as AddressInfo).port;
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
      await scenario.apply(`${reviews(port)}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  jwtRules:
    - issuer: local
      audiences: [shop, api]
      jwks: '${local.jwks}'
      fromHeaders: [{ name: authorization, prefix: "Bearer " }, { name: x-token }]
      fromParams: [token]
      fromCookies: [session]
      outputPayloadToHeader: x-payload
      forwardOriginalToken: true
      outputClaimToHeaders: [{ header: x-user, claim: sub }, { header: x-city, claim: address.city }]
      spaceDelimitedClaims: [groups]
    - { issuer: remote, jwksUri: "http://127.0.0.1:${keysPort}/keys", timeout: 3s }
`);
      await vi.waitFor(async () => expect((await get("not a token")).status).toBe(401), soon);
    }, 60_000);
    afterAll(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    test("none need be shown; a good one is believed, and the application is told", async () => {
      expect((await get(undefined)).status).toBe(200);
      const { seen } = await get(local.token(claims({ address: { city: "Bern" }, admin: true })));
      expect(seen?.headers).toMatchObject({ "x-user": "me", "x-city": "Bern" });
      expect(seen?.headers.authorization).toContain("Bearer ");
      const payload = JSON.parse(Buffer.from(String(seen?.headers["x-payload"]), "base64url").toString());
      expect(payload).toMatchObject({ iss: "local", sub: "me", admin: true });
    });

    test("it is found in headers, parameters and cookies, and a header that a client sets itself is not believed", async () => {
      const token = local.token(claims());
      const found: Promise<Answer>[] = [
        get(undefined, `/x?token=${token}`),
        get(undefined, "/", { "x-token": token }),
        get(undefined, "/", { cookie: `a=b; session=${token}` }),
      ];
      for (const { seen } of await Promise.all(found)) expect(seen?.headers["x-user"]).toBe("me");
      for (const headers of [{ "x-token": "bad" }, { cookie: "session=bad" }] as Record<string, string>[]) {
        expect((await get(undefined, "/", headers)).status).toBe(401);
      }
      const pretended = await get(token, "/", { "x-user": "root", "x-city": "Rome", "x-payload": "e30" });
      expect(pretended.seen?.headers).toMatchObject({ "x-user": "me" });
    });

    const expired = () => claims({ exp: 1_000_000_000 });
    test.each<[string, () => string, number?]>([
      ["another key", () => other.token(claims())],
      ["an unknown key id", () => local.token(claims(), { kid: "gone" })],
      ["no signature", () => unsigned(claims())],
      ["the public key as a secret", () => local.confused(claims())],
      ["an algorithm that nobody knows", () => local.token(claims(), { alg: "XX" })],
      ["it expired", () => local.token(expired())],
      ["it is not valid yet", () => local.token(claims({ nbf: later() }))],
      ["another audience", () => local.token(claims({ aud: "bank" })), 403],
      ["no audience", () => local.token(claims({ aud: undefined })), 403],
      ["another issuer", () => local.token(claims({ iss: "nobody" }))],
      ["the other issuer's key", () => remote.token(claims(), { kid: "key-1" })],
      ["cut off", () => local.token(claims()).slice(0, -10)],
      [
        "a changed payload",
        () => {
          const [head, , tail] = local.token(claims()).split(".");
          return [head, Buffer.from(JSON.stringify(claims({ sub: "root" }))).toString("base64url"), tail].join(".");
        },
      ],
      ["no JSON inside", () => local.sign("{", { alg: "RS256", kid: "key-1" })],
    ])("refused: %s", async (_, token, status = 401) => {
      const answer = await get(token());
      expect(answer.status).toBe(status);
      expect(answer.seen).toBeUndefined();
      if (status === 401) expect(answer.headers["www-authenticate"]).toMatch(/^Bearer realm=/);
    });

    test("huge: more than a head may have is refused, before anybody looks at it", async () => {
      const answer = await get(local.token(claims({ much: "x".repeat(100_000) })));
      expect(answer.status).toBe(431);
    });

    test("keys are fetched by the proxy's own call, and kept", async () => {
      const good = () => get(remote.token({ iss: "remote", sub: "you", exp: later() }));
      await vi.waitFor(async () => expect((await good()).status).toBe(200), soon);
      const asked = fetches;
      for (let index = 0; index < 5; index++) expect((await good()).status).toBe(200);
      expect(fetches).toBe(asked);
      expect((await get(other.token({ iss: "remote", sub: "you", exp: later() }, { kid: "remote-1" }))).status).toBe(
        401,
      );
    });

    test("what policies make of claims", async () => {
      await scenario.apply(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: by-claims, namespace: default }
spec:
  rules:
    - to: [{ operation: { paths: [/principal] } }]
      from: [{ source: { requestPrincipals: [local/me] } }]
    - to: [{ operation: { paths: [/any] } }]
      from: [{ source: { requestPrincipals: ["*"], notRequestPrincipals: ["*/root"] } }]
    - to: [{ operation: { paths: [/audience] } }]
      when: [{ key: request.auth.audiences, values: [api] }]
    - to: [{ operation: { paths: [/presenter] } }]
      when: [{ key: request.auth.presenter, values: [app] }]
    - to: [{ operation: { paths: [/key] } }]
      when: [{ key: request.auth.principal, values: ["local/*"] }]
    - to: [{ operation: { paths: [/group] } }]
      when: [{ key: "request.auth.claims[groups]", values: [admins, "team-*"] }]
    - to: [{ operation: { paths: [/nested] } }]
      when: [{ key: "request.auth.claims[realm][role]", values: [boss] }]
    - to: [{ operation: { paths: [/not-robot] } }]
      when: [{ key: "request.auth.claims[robot]", notValues: ["*"] }]
`);
      const withToken = async (path: string, more: Record<string, unknown> | undefined) =>
        (await get(more && local.token(claims(more)), path)).status;
      await vi.waitFor(async () => expect(await withToken("/principal", undefined)).toBe(403), soon);
      const table: [string, Record<string, unknown> | undefined, number][] = [
        ["/principal", {}, 200],
        ["/principal", { sub: "you" }, 403],
        ["/any", {}, 200],
        ["/any", undefined, 403],
        ["/any", { sub: "root" }, 403],
        ["/audience", { aud: ["shop", "api"] }, 200],
        ["/audience", {}, 403],
        ["/presenter", { azp: "app" }, 200],
        ["/presenter", {}, 403],
        ["/key", {}, 200],
        ["/key", undefined, 403],
        ["/group", { groups: "x admins" }, 200],
        ["/group", { groups: ["team-a"] }, 200],
        ["/group", { groups: "administrators" }, 403],
        ["/nested", { realm: { role: "boss" } }, 200],
        ["/nested", { realm: { role: ["a", "boss"] } }, 200],
        ["/nested", { realm: "boss" }, 403],
        ["/not-robot", {}, 200],
        ["/not-robot", { robot: "yes" }, 403],
        ["/elsewhere", {}, 403],
      ];
      for (const [path, more, status] of table) {
        expect([path, more, await withToken(path, more)]).toEqual([path, more, status]);
      }
    });
  });
});
