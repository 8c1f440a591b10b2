import { expect, it } from "vitest";
import type { GatewayView, ProxySync } from "../contract/index.ts";
import { createMeshStatus, type MeshStatusSources } from "./mesh-status.ts";

const hour = 3_600_000;
const now = 24 * hour;

const synced: ProxySync["types"]["LDS"] = { state: "SYNCED", resources: 1, sinceMs: 0, errors: [] };

const proxy = (id: string, certificateAgeH: number | null, over: Partial<ProxySync> = {}): ProxySync => ({
  id,
  name: id,
  namespace: "default",
  kind: "sidecar",
  app: id,
  version: "v1",
  address: "127.0.0.2",
  implementation: "limpid-sidecar 0.1.0",
  protocol: "delta",
  identity: null,
  certificate:
    certificateAgeH === null
      ? null
      : {
          serial: "1",
          issuer: "O=cluster.local",
          notBeforeMs: now - certificateAgeH * hour,
          notAfterMs: now + (24 - certificateAgeH) * hour,
        },
  connected: true,
  connectedAt: 0,
  disconnectedAt: null,
  heldRevision: null,
  usage: null,
  types: {
    ...{ LDS: synced, RDS: synced, VHDS: synced, CDS: synced },
    ...{ EDS: synced, SDS: synced, ECDS: synced, RTDS: synced },
  },
  ...over,
});

const gateway = (name: string, proxies: GatewayView["proxies"]): GatewayView => ({
  namespace: "default",
  name,
  selector: {},
  proxies,
  servers: [],
  routes: [],
});

const unasked = () => Promise.reject(new Error("not asked for here"));

const sources = (over: Partial<MeshStatusSources>): MeshStatusSources => ({
  mesh: "limpid",
  proxies: async () => ({ at: now, revision: 1, proxies: [] }),
  lastPush: async () => null,
  pushes: unasked,
  services: async () => [],
  gateways: async () => ({ gateways: [] }),
  faults: async () => ({ now, faults: [] }),
  collector: unasked,
  health: unasked,
  freshness: unasked,
  now: () => now,
  ...over,
});

it("counts certificates that were not renewed, of proxies that are there", async () => {
  const proxies = [
    proxy("young", 5),
    proxy("late", 20),
    proxy("ended", 30),
    proxy("gone", 30, { connected: false, disconnectedAt: 1 }),
    proxy("plain", null),
  ];
  const status = createMeshStatus(sources({ proxies: async () => ({ at: now, revision: 1, proxies }) }));
  expect((await status()).proxies).toMatchObject({ total: 5, lateCertificates: 2, disconnected: 1 });
});

it("counts gateways that keep clients out; what can't be asked is not nought, and ends nothing else", async () => {
  const somebody = [{ namespace: "istio-system", app: "istio-ingressgateway" }];
  const gateways = [gateway("well", somebody), gateway("nobody", [])];
  expect((await createMeshStatus(sources({ gateways: async () => ({ gateways }) }))()).gateways).toEqual({
    bad: 1,
    warn: 0,
  });
  const blind = await createMeshStatus(sources({ gateways: unasked }))();
  expect([blind.gateways, blind.controlPlane.reachable]).toEqual([null, true]);
});
