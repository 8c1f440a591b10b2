import { describe, expect, it } from "vitest";
import { explainedMesh, sidecar } from "./testing/mesh.ts";

const yaml = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: page, namespace: default }
spec: { address: 127.0.1.1, labels: { app: page }, serviceAccount: page }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.1.3, labels: { app: reviews, version: v1 }, serviceAccount: reviews }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v2, namespace: default }
spec: { address: 127.0.1.4, labels: { app: reviews, version: v2 }, serviceAccount: reviews }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - mirror: { host: reviews, subset: v2 }
      mirrorPercentage: { value: 50 }
      route: [{ destination: { host: reviews, subset: v1 } }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  jwtRules:
    - issuer: https://issuer.test
      audiences: [reviews]
      jwks: '{"keys":[{"kty":"EC","x":"LX8AZCp29pUOVm3jGU6mUyS5AC5ewniEV3lOkfucCGs","y":"43hSHX6CPaHeQh5OA6FHw_WjDaxM4e2_IOGG7XHnyOE","crv":"P-256","alg":"ES256","kid":"a"}]}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: admins, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  action: ALLOW
  rules:
    - from: [{ source: { requestPrincipals: ["https://issuer.test/*"] } }]
      when: [{ key: "request.auth.claims[groups]", values: [admin] }]
`;

const { ask } = explainedMesh(yaml, [
  sidecar("page", "page", "127.0.1.1", "page"),
  sidecar("reviews-v1", "reviews", "127.0.1.3", "reviews", "v1"),
  sidecar("reviews-v2", "reviews", "127.0.1.4", "reviews", "v2"),
]);

const url = "http://reviews:9080/reviews/0";
const nowMs = 1_700_000_000_000;
const good = { iss: "https://issuer.test", sub: "ana", aud: "reviews", exp: 1_700_000_600, groups: ["staff", "admin"] };
const claims = (changes: object = {}) => JSON.stringify({ ...good, ...changes });

async function atReviews(token: string) {
  const { destinations } = await ask(url, { token, nowMs });
  const side = destinations.find(({ mirrored }) => !mirrored)?.side;
  const policy = side?.filters.find(({ rbac }) => rbac)?.rbac;
  return { end: side?.end, jwt: side?.filters.find(({ jwt }) => jwt)?.jwt, policy };
}

describe("a token", () => {
  it("is judged by who issues it, for whom and until when", async () => {
    expect((await atReviews(claims())).end?.kind).toBe("forwarded");
    for (const [changes, why] of [
      [{ iss: "https://other.test" }, "Jwt issuer is not configured"],
      [{ exp: 1_600_000_000 }, "Jwt is expired"],
    ] as const) {
      const { end, jwt } = await atReviews(claims(changes));
      expect(jwt).toMatchObject({ ok: false, status: 401, why, issuers: ["https://issuer.test"] });
      expect(end).toMatchObject({ kind: "denied", status: 401 });
    }
    const { end } = await atReviews(claims({ aud: "ratings" }));
    expect(end).toMatchObject({
      kind: "denied",
      status: 403,
      details: "jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}",
    });
  });

  it("has the claims that policies ask for, or has them not, each condition with what it met", async () => {
    const { policy } = await atReviews(claims());
    expect(policy).toMatchObject({ allowed: true, policies: [{ matched: true }] });
    const without = await atReviews(claims({ groups: ["staff"] }));
    expect(without.policy?.allowed).toBe(false);
    expect(without.end).toMatchObject({ kind: "denied", status: 403 });
    expect(JSON.stringify(without.policy)).toContain('"has":"[\\"staff\\"]"');
  });

  it("may be a JWT as it stands in a header", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const jwt = `Bearer ${part({ alg: "RS256" })}.${part(good)}.c2lnbmF0dXJl`;
    expect((await atReviews(jwt)).jwt?.ok).toBe(true);
  });

  it("that nobody named leaves open what depends on it; none at all does not", async () => {
    const { destinations } = await ask(url, { nowMs });
    expect(destinations[0]?.side.filters.map(({ kind }) => kind)).toContain("unjudged");
    expect(destinations[0]?.side.filters.find(({ rbac }) => rbac)?.rbac?.allowed).toBeNull();
    const none = await atReviews("none");
    expect(none.jwt).toMatchObject({ ok: true, why: "Jwt is missing" });
    expect(none.end).toMatchObject({ kind: "denied", status: 403 });
  });

  it("that makes no sense is told by its field", async () => {
    await expect(async () => ask(url, { token: "nonsense" })).rejects.toMatchObject({ errors: [{ path: "token" }] });
    await expect(async () => ask(url, { token: "{nonsense" })).rejects.toMatchObject({ errors: [{ path: "token" }] });
  });
});

it("follows copies to where they go, and says so", async () => {
  const { source, destinations } = await ask(url, { token: claims(), nowMs });
  expect(source.mirrors.map(({ subset, share, found }) => [subset, share, found])).toEqual([["v2", 0.5, true]]);
  expect(source.mirrors[0]?.endpoints[0]?.workload).toBe("default/reviews-v2");
  const copy = destinations.find(({ mirrored }) => mirrored);
  expect(copy?.side.proxy.name).toBe("reviews-v2");
  expect(copy?.side.request.authority).toBe("reviews-shadow:9080");
});
