import { afterEach, beforeEach, expect, test } from "vitest";
import { GatewayList, WorkloadViews } from "../../../contract/index.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

const object = (kind: string, name: string, spec: Record<string, unknown>, apiVersion = "networking.istio.io/v1") => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "default" },
  spec,
});

const objects = [
  object("Gateway", "shop", {
    selector: { istio: "ingress" },
    servers: [
      { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*.shop.test"] },
      {
        port: { number: 443, name: "https", protocol: "HTTPS" },
        hosts: ["other.test"],
        tls: { mode: "SIMPLE", credentialName: "other" },
      },
    ],
  }),
  object("VirtualService", "shop", {
    hosts: ["www.shop.test"],
    gateways: ["shop"],
    http: [
      { match: [{ uri: { prefix: "/cart" } }], route: [{ destination: { host: "cart" } }] },
      { route: [{ destination: { host: "nobody" } }] },
    ],
  }),
  object("VirtualService", "stranger", {
    hosts: ["www.elsewhere.test"],
    gateways: ["shop"],
    http: [{ route: [{ destination: { host: "cart" } }] }],
  }),
  object("Service", "cart", { selector: { app: "cart" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] }, "v1"),
  object("WorkloadEntry", "cart-v1", { address: "10.0.0.1", labels: { app: "cart", version: "v1" } }),
  object(
    "PeerAuthentication",
    "strict",
    { selector: { matchLabels: { app: "cart" } }, mtls: { mode: "STRICT" } },
    "security.istio.io/v1",
  ),
];

let api: ApiHarness;
beforeEach(async () => {
  const mesh = buildMesh(objects, 1);
  api = await startApi({
    mesh: () => mesh,
    gatewayProxies: () => [
      { namespace: "edge", labels: { istio: "ingress" }, canonicalService: "ingress" },
      { namespace: "edge", labels: { istio: "egress" }, canonicalService: "egress" },
    ],
    services: async () => [
      {
        namespace: "default",
        name: "cart",
        hostname: "cart.default.svc.cluster.local",
        external: false,
        ports: [],
        versions: [],
        virtualServices: [],
        destinationRules: [],
      },
    ],
  });
});
afterEach(() => api.close());

test("tells of each Gateway's servers, who runs it, and the routes of those of its hosts", async () => {
  const { gateways } = GatewayList.parse((await api.call("GET", "/limpid/v1/gateways")).body);
  const [shop] = gateways;
  expect(shop).toMatchObject({
    name: "shop",
    proxies: [{ namespace: "edge", app: "ingress" }],
    servers: [
      { port: 80, hosts: ["*.shop.test"], tls: null, certificates: [], routedBy: ["default/shop"] },
      // The Secret is looked for where the proxy is.
      { port: 443, tls: { mode: "SIMPLE" }, certificates: [{ from: "edge/other", found: false }], routedBy: [] },
    ],
  });
  expect(shop?.routes.map(({ rule, services }) => [rule.matches, services.map((one) => one?.name ?? null)])).toEqual([
    [["uri prefix /cart"], ["cart"]],
    [[], [null]],
  ]);
});

test("tells of workloads with the mode of their ports and who says so", async () => {
  const { workloads } = WorkloadViews.parse((await api.call("GET", "/limpid/v1/workloads")).body);
  expect(workloads).toMatchObject([
    {
      name: "cart-v1",
      app: "cart",
      version: "v1",
      services: [{ hostname: "cart.default.svc.cluster.local" }],
      endpoints: [{ address: "10.0.0.1", port: 8080 }],
      mtls: [{ port: 8080, mode: "STRICT", by: { namespace: "default", name: "strict", field: "mtls" } }],
    },
  ]);
});
