import { expect, it } from "vitest";
import type { MeshStatus } from "../../server/contract/index.ts";
import { freshnessAt } from "./freshness.ts";

const now = 1_000_000;
const status = (over: Partial<MeshStatus> = {}): MeshStatus => ({
  at: now,
  mesh: "limpid",
  proxies: { total: 1, inSync: 1, refused: 0, lagging: 0, disconnected: 0, lateCertificates: 0 },
  lastPush: null,
  pushes: null,
  services: 1,
  gateways: { bad: 0, warn: 0 },
  refusedObjects: 0,
  faults: 0,
  freshAt: now - 500,
  controlPlane: { reachable: true, since: null, message: null },
  telemetry: { reachable: true, message: null, collector: null, silentSince: null },
  trouble: { failing: 0, degraded: 0 },
  ...over,
});
const lost = { code: "INTERNAL" as const, message: "gone" };

it("is live while reads succeed and records arrive", () => {
  expect(freshnessAt({ data: status(), readAt: now, error: null }, now)).toEqual({
    state: "live",
    of: now - 500,
    reason: null,
  });
});

it("forgives one failed read and not eight seconds of them", () => {
  expect(freshnessAt({ data: status(), readAt: now - 3000, error: lost }, now).state).toBe("live");
  expect(freshnessAt({ data: status(), readAt: now - 9000, error: lost }, now)).toMatchObject({
    state: "stale",
    reason: "dashboard",
  });
});

it.each([
  [{ telemetry: { reachable: false, message: "down", collector: null, silentSince: null } }, "telemetry"],
  [{ controlPlane: { reachable: false, since: now, message: "down" } }, "control-plane"],
  [
    { telemetry: { reachable: true, message: null, collector: null, silentSince: now - 9000 }, freshAt: now - 20_000 },
    "silent",
  ],
] as const)("says why it is stale: %j", (over, reason) => {
  expect(freshnessAt({ data: status(over), readAt: now, error: null }, now)).toMatchObject({ state: "stale", reason });
});

it("waits for the first record, and for the first answer", () => {
  expect(freshnessAt({ data: status({ freshAt: null }), readAt: now, error: null }, now).state).toBe("waiting");
  expect(freshnessAt({ data: undefined, readAt: 0, error: null }, now).state).toBe("waiting");
  expect(freshnessAt({ data: undefined, readAt: 0, error: lost }, now).state).toBe("stale");
});

it("is calm when nobody calls", () => {
  const quiet = freshnessAt({ data: status({ freshAt: now - 20_000 }), readAt: now, error: null }, now);
  expect(quiet).toEqual({ state: "quiet", of: now - 20_000, reason: null });
});

it("says that what was there is gone, whether anybody calls or not", () => {
  const collector = {
    ok: true,
    message: "",
    lastWriteMs: now,
    storeReplaced: { atMs: now - 60_000, why: "it was deleted" },
    failedFlushes: 0,
    sampling: null,
    exports: [],
    shed: { samples: 0, spans: 0, logs: 0, metricPoints: 0 },
    lateRecords: 0,
    overflowedRecords: 0,
    disbelievedCallers: 0,
    misdatedRecords: 0,
    ignored: { entries: 0, logs: [] },
  };
  const of = (freshAt: number | null, replaced = true) =>
    freshnessAt(
      {
        data: status({
          freshAt,
          telemetry: {
            reachable: true,
            message: null,
            collector: replaced ? collector : { ...collector, storeReplaced: null },
            silentSince: null,
          },
        }),
        readAt: now,
        error: null,
      },
      now,
    );
  for (const freshAt of [now - 500, now - 20_000, null]) expect(of(freshAt).losses).toBe(collector);
  expect(of(now, false).losses).toBeUndefined();
});
