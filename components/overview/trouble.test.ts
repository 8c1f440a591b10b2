import { expect, it } from "vitest";
import type { ProxySync, ServiceListItem } from "../../server/contract/index.ts";
import { certificatesOf, comings, troubledServices } from "./trouble.ts";

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

it("tells who went and who came back, many at once and the control plane's restart once", () => {
  const restart = (to: number) => ({ from: to - 3000, to, whose: "control-plane" as const });
  const absence = (from: number, to: number) => ({ from, to, whose: "proxy" as const });
  const proxies = [
    proxy("a", { absences: [absence(100_000, 200_000), restart(500_000)] }),
    proxy("b", { absences: [absence(101_000, 230_000), restart(502_000), absence(880_000, 900_000)] }),
    proxy("c", { connected: false, disconnectedAt: 950_000, absences: [restart(512_000)] }),
    proxy("d", {}),
  ];
  expect(comings({ proxies })).toEqual([
    { at: 950_000, what: "went", names: ["c"] },
    { at: 900_000, what: "came", names: ["b"] },
    { at: 880_000, what: "went", names: ["b"] },
    { at: 500_000, what: "restarted", names: [] },
    { at: 230_000, what: "came", names: ["b"] },
    { at: 200_000, what: "came", names: ["a"] },
    { at: 100_000, what: "went", names: ["a", "b"] },
  ]);
});
