import { describe, expect, it } from "vitest";
import { type ProxyNode, parseProxy } from "./parse-proxy.ts";

const node = (change: Partial<ProxyNode> = {}): ProxyNode => ({
  id: "sidecar~127.0.1.2~reviews-v1.default~default.svc.cluster.local",
  cluster: "reviews.default",
  metadata: {},
  userAgentName: "envoy",
  delta: true,
  ...change,
});

describe("parseProxy", () => {
  it("reads all of a sidecar's metadata", () => {
    const parsed = parseProxy(
      node({
        metadata: {
          INTERCEPTION_MODE: "NONE",
          LABELS: { app: "reviews", version: "v1" },
          SERVICE_ACCOUNT: "bookinfo-reviews",
          HTTP_PROXY_PORT: "16001",
          INGRESS: { "9080": "127.0.0.1:19080", "9081": "[::1]:19081" },
        },
      }),
    );
    expect(parsed).toEqual({
      ok: true,
      value: {
        id: "sidecar~127.0.1.2~reviews-v1.default~default.svc.cluster.local",
        type: "sidecar",
        ip: "127.0.1.2",
        name: "reviews-v1",
        namespace: "default",
        domain: "default.svc.cluster.local",
        labels: { app: "reviews", version: "v1" },
        facts: { INTERCEPTION_MODE: "NONE", SERVICE_ACCOUNT: "bookinfo-reviews", HTTP_PROXY_PORT: "16001" },
        locality: "",
        serviceAccount: "bookinfo-reviews",
        canonicalService: "reviews",
        canonicalRevision: "v1",
        interception: "NONE",
        httpProxyPort: 16001,
        ingress: { 9080: { address: "127.0.0.1", port: 19080 }, 9081: { address: "::1", port: 19081 } },
        portOffset: 0,
        unprivileged: false,
        proxyless: false,
        delta: true,
        xdsCluster: undefined,
        bundled: false,
        faultLeases: false,
      },
    });
  });

  it("falls back to the id, and to what Istio's agents leave unsaid", () => {
    const parsed = parseProxy(node({ id: "router~10.0.0.1~gw.istio-system~istio-system.svc.cluster.local" }));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        type: "router",
        name: "gw",
        namespace: "istio-system",
        canonicalService: "gw",
        canonicalRevision: "latest",
        serviceAccount: "default",
        interception: "REDIRECT",
        httpProxyPort: 15001,
      },
    });
  });

  it("takes an id of any form when what Istio's has in it stands in the metadata, or is usual", () => {
    expect(parseProxy(node({ id: "my-envoy" }))).toMatchObject({
      ok: true,
      value: { type: "sidecar", ip: "127.0.0.1", name: "my-envoy", namespace: "default", canonicalService: "my-envoy" },
    });
    const metadata = { NAMESPACE: "shop", WORKLOAD_NAME: "cart-v1", INSTANCE_IPS: "10.0.0.7,fe80::1" };
    expect(parseProxy(node({ id: "my-envoy", metadata }))).toMatchObject({
      ok: true,
      value: { ip: "10.0.0.7", name: "cart-v1", namespace: "shop", domain: "shop.svc.cluster.local" },
    });
  });

  it("takes INGRESS and LABELS as JSON text too", () => {
    const parsed = parseProxy(node({ metadata: { INGRESS: '{"9080":"127.0.0.1:1"}', LABELS: '{"app":"a"}' } }));
    expect(parsed).toMatchObject({ ok: true, value: { ingress: { 9080: { port: 1 } }, labels: { app: "a" } } });
  });

  it.each([
    ["", "node.id"],
    ["sidecar~127.0.1.2~reviews-v1.default", "node.id"],
    ["waypoint~127.0.1.2~reviews-v1.default~x", "node.id"],
    ["sidecar~127.0.1.2~nameless~x", "node.id"],
    ["sidecar~somewhere~reviews-v1.default~x", "node.id"],
  ])("refuses the id %j", (id, path) => {
    expect(parseProxy(node({ id }))).toMatchObject({ ok: false, errors: [{ path }] });
  });

  it("tells all that is wrong with the metadata at once", () => {
    const parsed = parseProxy(
      node({
        metadata: {
          INTERCEPTION_MODE: "BOTH",
          HTTP_PROXY_PORT: 70000,
          PORT_OFFSET: -1,
          LABELS: { app: 1 },
          INGRESS: { "9080": "nowhere", "0": "127.0.0.1:1" },
        },
      }),
    );
    expect(parsed.ok ? [] : parsed.errors.map((error) => error.path).sort()).toEqual([
      "node.metadata.HTTP_PROXY_PORT",
      "node.metadata.INGRESS.0",
      "node.metadata.INGRESS.9080",
      "node.metadata.INTERCEPTION_MODE",
      "node.metadata.LABELS.app",
      "node.metadata.PORT_OFFSET",
    ]);
  });
});
