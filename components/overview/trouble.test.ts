import { expect, it } from "vitest";
import type { ProxySync, ServiceListItem } from "../../server/contract/index.ts";
import { certificatesOf, troubledServices } from "./trouble.ts";

const service = (name: string, over: Partial<ServiceListItem> = {}): ServiceListItem => ({
  namespace: "default",
  name,
  hostname: `${name}.default.svc.cluster.local`,
  external: false,
  ports: [],
  versions: [],
  virtualServices: [],
  destinationRules: [],
  health: "healthy",
  signals: {
    requestRate: 10,
    errorShare: 0,
    clientErrorShare: 0,
    latencyMsP50: 1,
    latencyMsP90: 1,
    latencyMsP95: 1,
    latencyMsP99: 1,
  },
  trend: { requestRate: [], latencyMsP95: [] },
  badges: [],
  ...over,
});

it("ranks what fails before what is gone before what is slow, the more requests the higher", () => {
  const failing = (name: string, errorShare: number) =>
    service(name, { health: "failing", signals: { ...service(name).signals, errorShare } });
  const lost = { id: "x", name: "x", disconnectedAt: 1, heldRevision: null };
  const ranked = troubledServices([
    service("well"),
    service("slow", { health: "degraded" }),
    failing("half", 0.5),
    failing("all", 1),
    service("gone", { missingProxies: [lost] }),
  ]);
  expect(ranked.map(({ name }) => name)).toEqual(["all", "half", "gone", "slow"]);
});

const proxy = (name: string, over: Partial<ProxySync>): ProxySync =>
  ({ name, connected: true, connectedAt: 1, disconnectedAt: null, certificate: null, ...over }) as ProxySync;

it("counts certificates, and those that should have been replaced", () => {
  const certificate = (notAfterMs: number) => ({ serial: "", issuer: "", notBeforeMs: 0, notAfterMs });
  const proxies = [
    proxy("a", { certificate: certificate(1000) }),
    proxy("b", { certificate: certificate(4000) }),
    proxy("c", {}),
  ];
  expect(certificatesOf({ at: 900, proxies })).toEqual({ count: 2, nextEndMs: 1000, late: 1 });
  expect(certificatesOf({ at: 900, proxies: [] })).toEqual({ count: 0, nextEndMs: null, late: 0 });
});
