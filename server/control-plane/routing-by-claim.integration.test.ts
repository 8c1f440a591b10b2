import { afterEach, describe, expect, test, vi } from "vitest";
import { type Closers, call, freePort, proxyKinds, startApplication, startScenario } from "./testing/scenario.ts";
import { Issuer } from "./testing/tokens.ts";

const closers: Closers = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const workload = (version: string, port: number) => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-${version}, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${port} }, labels: { app: reviews, version: ${version} } }
---
`;

describe.each(proxyKinds)("$kind", (kind) => {
  test.skipIf(kind.missing)("a gateway tells requests apart by what their tokens claim", async () => {
    const issuer = new Issuer();
    const port = await freePort();
    const scenario = await startScenario(
      kind,
      {
        id: "router~127.0.0.1~gateway.istio-ingress~istio-ingress.svc.cluster.local",
        metadata: { LABELS: { istio: "ingressgateway", "gateway.networking.k8s.io/gateway-name": "public" } },
      },
      closers,
    );
    const workloads = await Promise.all(
      ["v1", "v2"].map(async (version) => workload(version, await startApplication(closers, version))),
    );
    await scenario.apply(`${workloads.join("")}
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: default }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: ${port}, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: istio-ingress }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: public }]
  jwtRules: [{ issuer: local, jwks: '${issuer.jwks}' }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: ["*"]
  gateways: [public]
  http:
    - match:
        - headers: { "@request.auth.claims.groups": { exact: testers } }
        - headers: { "@request.auth.claims[realm][role]": { prefix: test } }
        - headers: { "@request.auth.claims.sub": {} }
          withoutHeaders: { "@request.auth.claims.robot": { regex: ".+" } }
          uri: { prefix: /people }
      route: [{ destination: { host: reviews, subset: v2 } }]
    - route: [{ destination: { host: reviews, subset: v1 } }]
`);
    const who = async (claims?: Record<string, unknown>, path = "/") => {
      const token = claims && issuer.token({ iss: "local", sub: "me", exp: 4_000_000_000, ...claims });
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      const { status, body } = await call(port, { path, headers });
      return status === 200 ? (JSON.parse(body) as { name: string }).name : status;
    };
    await vi.waitFor(async () => expect(await who({ groups: ["testers"] })).toBe("v2"), {
      timeout: 20_000,
      interval: 50,
    });
    expect(await who()).toBe("v1");
    expect(await who({ groups: "testers" })).toBe("v2");
    expect(await who({ groups: ["others"] })).toBe("v1");
    expect(await who({ realm: { role: "tester" } })).toBe("v2");
    expect(await who({}, "/people")).toBe("v2");
    expect(await who({ robot: "yes" }, "/people")).toBe("v1");
  });
});
