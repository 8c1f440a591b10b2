import { describe, expect, test } from "vitest";
import { type ConfigObject, keyOf } from "../../../config/object.ts";
import type { Labels } from "../../../model/labels.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { warningsOf } from "./index.ts";
import { base, nowMs, objects, texts, warn } from "./testing/warn.ts";

describe("security", () => {
  const security = "apiVersion: security.istio.io/v1";

  test("secrets among the keys, keys in plain text from outside, an issuer that is there twice", () => {
    const found = warn(`
${security}
kind: RequestAuthentication
metadata: { name: tokens }
spec:
  jwtRules:
    - { issuer: a, jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' }
    - { issuer: a, jwksUri: "http://keys.example.com/" }
    - { issuer: b, jwksUri: "http://reviews.default.svc.cluster.local/keys" }
`);
    expect(found).toEqual([
      "spec.jwtRules[0].jwks: keys[0] holds a secret: only public keys are needed here",
      "spec.jwtRules[1].jwksUri: is fetched in plain text from outside of the mesh: whoever stands between can sign tokens",
      "spec.jwtRules[1].issuer: is that of jwtRules[0] too: a token need be good for one only",
    ]);
  });

  test("providers and targets that nobody has, and denials that hit TCP", () => {
    const found = warn(`
${security}
kind: AuthorizationPolicy
metadata: { name: a }
spec: { targetRefs: [{ kind: Service, name: revews }], action: CUSTOM, provider: { name: ask }, rules: [{}] }
---
${security}
kind: AuthorizationPolicy
metadata: { name: b }
spec:
  action: DENY
  rules:
    - to: [{ operation: { paths: [/x] } }]
    - to: [{ operation: { paths: [/x], ports: ["9080"] } }]
    - from: [{ source: { requestPrincipals: ["*"] } }]
    - from: [{ source: { namespaces: [x] } }]
---
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { extensionProviders: [{ name: other, envoyExtAuthzGrpc: { service: revews.default.svc.cluster.local, port: 80 } }] }
`);
    const tcp = "says nothing that TCP shows, and so denies every connection to TCP ports: name the ports";
    expect(found).toEqual([
      "spec.targetRefs[0].name: there is no Service default/revews: it is for nobody",
      "spec.provider.name: the MeshConfig has no extensionProvider ask (it has other): what matches is refused",
      `spec.rules[0]: ${tcp}`,
      `spec.rules[2]: ${tcp}`,
      "spec.extensionProviders[0].envoyExtAuthzGrpc.service: no Service or ServiceEntry has the host revews.default.svc.cluster.local, did you mean reviews.default.svc.cluster.local?: what it would be asked about is refused",
    ]);
  });
});

test("principals of trust domains of which the mesh takes no certificates", () => {
  const policy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a }
spec:
  rules:
    - from: [{ source: { principals: ["cluster.local/ns/a/sa/b", "*/ns/a/sa/b", "*.example/ns/a/sa/b"], notPrincipals: ["old.example/ns/a/sa/b"] } }]
      when: [{ key: source.principal, values: ["*", "elsewhere/ns/a/sa/b"] }]
---
`;
  const foreign = (path: string, principal: string) =>
    `spec.rules[0].${path}: ${principal} is of another trust domain: certificates of this mesh are of cluster.local, and of those that trustDomainAliases of the MeshConfig names`;
  const elsewhere = foreign("when[0].values[1]", "elsewhere/ns/a/sa/b");
  expect(warn(policy)).toEqual([
    foreign("from[0].source.principals[2]", "*.example/ns/a/sa/b"),
    foreign("from[0].source.notPrincipals[0]", "old.example/ns/a/sa/b"),
    elsewhere,
  ]);
  const aliases = `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { trustDomainAliases: [old.example] }
`;
  expect(warn(policy + aliases)).toEqual([elsewhere]);
});

test("policies and HealthChecks of which the one refuses the probes of the other", () => {
  const check = `
apiVersion: limpid.dev/v1alpha1
kind: HealthCheck
metadata: { name: a }
spec: { host: reviews, http: { path: "/health?deep=1" } }
---
kind: WorkloadEntry
metadata: { name: reviews-v2 }
spec: { address: 127.0.1.3, labels: { app: reviews, security.istio.io/tlsMode: istio } }
---
`;
  const policy = (rules: string, more = "") => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a${more} }
spec: { rules: [${rules}] }
---
`;
  const caller = '{ from: [{ source: { principals: ["cluster.local/ns/a/sa/b"] } }] }';
  const advice = "Allow GET /health from the principals cluster.local/*";
  expect(warn(check + policy(caller))).toEqual([
    `spec.http.path: no rule of default/a lets probes in: endpoints of reviews.default.svc.cluster.local would count as unhealthy. ${advice}`,
    `spec.rules: nothing lets in the probes that a HealthCheck has sent to reviews.default.svc.cluster.local: its endpoints count as unhealthy. ${advice}`,
  ]);
  const from = 'from: [{ source: { principals: ["cluster.local/*"] } }]';
  for (const rule of [
    `{ ${from}, to: [{ operation: { methods: [GET], paths: [/health], ports: ["9080"] } }] }`,
    `{ ${from}, to: [{ operation: { paths: ["/hea*"] } }] }`,
    "{ to: [{ operation: { paths: [/health] } }] }",
    "{}",
  ]) {
    expect(warn(check + policy(`${caller}, ${rule}`)), rule).toEqual([]);
  }
  for (const rule of [
    `{ ${from}, to: [{ operation: { paths: [/health], ports: ["9081"] } }] }`,
    `{ ${from}, to: [{ operation: { paths: [/health], hosts: [a] } }] }`,
    `{ ${from}, to: [{ operation: { paths: [/health], methods: [POST] } }] }`,
    `{ ${from}, when: [{ key: "request.headers[a]", values: [b] }] }`,
  ]) {
    expect(warn(check + policy(`${caller}, ${rule}`)), rule).toHaveLength(2);
  }
  expect(warn(check + policy(caller, ', annotations: { "istio.io/dry-run": "true" }'))).toEqual([]);
});

test("a MeshConfig that calls the mesh otherwise than it was started", () => {
  const named = (name: string) => `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { trustDomain: ${name} }
`;
  expect(warn(named("cluster.local"))).toEqual([]);
  expect(warn(named("mesh.example"))).toEqual([
    "spec.trustDomain: the mesh is called cluster.local: LIMPID_TRUST_DOMAIN=mesh.example, or --trust-domain, calls it otherwise when it starts, and this changes nothing",
  ]);
});

describe("certificates", () => {
  const certificate = (notAfter: string, ...names: string[]) => ({
    entry: "tls.crt",
    subject: "CN=a",
    subjectAltNames: names.map((name) => `DNS:${name}`),
    notAfter,
  });
  const secret = (name: string, certificates: unknown[]): ConfigObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "default" },
    spec: { data: { "tls.crt": "x", "tls.key": "x" } },
    status: { certificates },
  });
  const changesOf = (all: ConfigObject[]) => all.map((after) => ({ type: "ADDED" as const, key: keyOf(after), after }));
  const told = (all: ConfigObject[], proxies?: Labels[]) =>
    texts(
      warningsOf(changesOf(all), {
        mesh: buildMesh([...base, ...all], 1),
        nowMs,
        gatewayProxies: proxies?.map((labels) => ({ namespace: "default", labels })),
      }),
    );

  test("that have ended or will soon", () => {
    const all = ["2026-05-31T12:00:00Z", "2026-06-30T00:00:00Z", "2026-07-02T00:00:00Z"];
    expect(
      told([
        secret(
          "a",
          all.map((end) => certificate(end)),
        ),
      ]),
    ).toEqual([
      'data["tls.crt"]: the certificate of CN=a ended on 2026-05-31',
      'data["tls.crt"]: the certificate of CN=a ends on 2026-06-30',
    ]);
  });

  test("that a Gateway names and nobody has, that are for others, and authorities that are missing", () => {
    const [gateway] = objects(`
kind: Gateway
metadata: { name: tls }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 443, name: a, protocol: HTTPS }, hosts: [a.test, "*/b.test"], tls: { mode: SIMPLE, credentialName: good } }
    - { port: { number: 443, name: b, protocol: HTTPS }, hosts: [c.test], tls: { mode: SIMPLE, credentialNames: [good, gone] } }
    - { port: { number: 443, name: c, protocol: HTTPS }, hosts: [a.test], tls: { mode: MUTUAL, credentialName: good } }
`);
    const good = secret("good", [certificate("2027-01-01T00:00:00Z", "a.test", "*.test")]);
    const narrow = secret("good", [certificate("2027-01-01T00:00:00Z", "a.test")]);
    const authorities =
      "spec.servers[2].tls.credentialName: there is no ca.crt or cacert in Secret default/good, nor a Secret good-cacert: nobody's certificate could be checked";
    const gone =
      "spec.servers[1].tls.credentialNames[1]: there is no Secret default/gone with a certificate and its key: nobody is served here";
    if (gateway === undefined) throw new Error("no gateway");
    expect(told([good, gateway], [{ istio: "ingressgateway" }])).toEqual([gone, authorities]);
    expect(told([narrow, gateway], [{ istio: "ingressgateway" }])).toEqual([
      "spec.servers[0].tls.credentialName: its certificate is for a.test, not for b.test: browsers will refuse it",
      "spec.servers[1].tls.credentialNames[0]: its certificate is for a.test, not for c.test: browsers will refuse it",
      gone,
      authorities,
    ]);
  });
});
