import { expect, it } from "vitest";
import type { MeshStatus } from "../../server/contract/index.ts";
import { countOf, hiddenTrouble, isRanged, pages } from "./pages.ts";

const status = (over: Partial<MeshStatus> = {}): MeshStatus => ({
  at: 0,
  mesh: "limpid",
  proxies: { total: 7, inSync: 7, refused: 0, lagging: 0, disconnected: 0, lateCertificates: 0 },
  lastPush: null,
  pushes: null,
  services: 4,
  gateways: { bad: 0, warn: 0 },
  refusedObjects: 0,
  faults: 0,
  freshAt: 0,
  controlPlane: { reachable: true, since: null, message: null },
  telemetry: { reachable: true, message: null, collector: null, silentSince: null },
  trouble: { failing: 0, degraded: 0 },
  ...over,
});

it("counts what there is, and what is wrong instead when something is", () => {
  expect(countOf("proxies", status())).toEqual({ shown: 7, wrong: 0, tone: null });
  expect(countOf("config", status())).toBeNull();
  const fleet = { total: 7, inSync: 4, refused: 1, lagging: 1, disconnected: 1, lateCertificates: 0 };
  const refused = status({ proxies: fleet, refusedObjects: 2, faults: 3 });
  expect(countOf("proxies", refused)).toEqual({ shown: 3, wrong: 3, tone: "bad" });
  expect(countOf("config", refused)).toEqual({ shown: 2, wrong: 2, tone: "bad" });
  expect(countOf("faults", refused)).toMatchObject({ shown: 3, tone: "bad" });
});

it("counts services in trouble, in the colour of the worst", () => {
  expect(countOf("services", status())).toEqual({ shown: 4, wrong: 0, tone: null });
  expect(countOf("services", status({ trouble: { failing: 0, degraded: 2 } }))).toEqual({
    shown: 2,
    wrong: 2,
    tone: "warn",
  });
  expect(countOf("services", status({ trouble: { failing: 1, degraded: 2 } }))).toMatchObject({
    shown: 3,
    tone: "bad",
  });
  expect(countOf("services", status({ trouble: null }))).toEqual({ shown: 4, wrong: 0, tone: null });
});

it("counts certificates that end and strict ports that turn plain text away, and says nothing while all is well", () => {
  expect(countOf("security", status())).toBeNull();
  expect(countOf("security", status({ security: { expiring: 0, turnedAway: 0 } }))).toBeNull();
  expect(countOf("security", status({ security: { expiring: 2, turnedAway: 0 } }))).toMatchObject({
    shown: 2,
    tone: "warn",
  });
  expect(countOf("security", status({ security: { expiring: 2, turnedAway: 1 } }))).toMatchObject({
    shown: 3,
    tone: "bad",
  });
});

it("counts what is amiss of gateways and certificates", () => {
  expect(countOf("gateways", status())).toBeNull();
  expect(countOf("gateways", status({ gateways: { bad: 0, warn: 2 } }))).toEqual({ shown: 2, wrong: 2, tone: "warn" });
  expect(countOf("gateways", status({ gateways: { bad: 1, warn: 2 } }))).toEqual({ shown: 3, wrong: 3, tone: "bad" });
  expect(countOf("gateways", status({ gateways: null }))).toBeNull();
  const { proxies } = status();
  const late = status({ proxies: { ...proxies, lateCertificates: 2 } });
  expect(countOf("proxies", late)).toEqual({ shown: 2, wrong: 2, tone: "warn" });
});

it("never says nought of what can't be asked", () => {
  const gone = status({ services: 0, controlPlane: { reachable: false, since: 0, message: "no answer" } });
  for (const page of ["services", "proxies", "faults", "config"] as const) expect(countOf(page, gone)).toBeNull();
});

it("has a letter of its own for each page, and says on a phone what is wrong behind More", () => {
  expect(new Set(pages.map(({ letter }) => letter)).size).toBe(pages.length);
  expect(hiddenTrouble(status())).toBeNull();
  const fleet = { total: 7, inSync: 6, refused: 0, lagging: 1, disconnected: 0, lateCertificates: 0 };
  expect(hiddenTrouble(status({ proxies: fleet }))).toMatchObject({ shown: 1, tone: "warn" });
  expect(hiddenTrouble(status({ proxies: fleet, refusedObjects: 2, faults: 3 }))).toMatchObject({
    shown: 3,
    tone: "bad",
  });
});

it("knows where an address names a time: elsewhere `from` is a caller, a revision or nothing", () => {
  const ranged = ["/topology", "/services/default/reviews", "/security/propose", "/logs", "/traces"];
  expect(ranged.filter((path) => !isRanged(path))).toEqual([]);
  const others = ["/faults", "/history", "/explain", "/proxies", "/load", "/traces/0af7651916cd43dd8448eb211c80319c"];
  expect(others.filter(isRanged)).toEqual([]);
});
