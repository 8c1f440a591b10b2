import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { CanaryStatus, CanaryView } from "../server/contract/index.ts";
import { launchBrowser } from "./browser.ts";
import { canaryJourney } from "./canary-journey.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, limpid, reviewVersions, startMesh, type TestMesh } from "./mesh.ts";
import { runningOn } from "./running.ts";
import { browser as chromium } from "./tools.ts";

/** A step is held for its time, and on a busy machine for as long as it takes to see enough requests. */
const patience = 120_000;
const reviews = { namespace: "default", name: "reviews" };
/** What a machine that does other things, too, can hold: what is tried is another thing than its speed. */
const lenient = { minRequests: 10, successRate: { min: 80 }, latencyP95: { max: "10s" } };

describe("guided canaries on a real mesh", () => {
  let mesh: TestMesh;
  let browser: Browser | undefined;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(["--rate", "20"]), chromium.missing ? undefined : launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  const canary = async (): Promise<CanaryView | undefined> =>
    (await apiOf(mesh).canaries()).canaries.find(({ name }) => name === "reviews");
  const status = async (): Promise<CanaryStatus | null> => (await canary())?.status ?? null;
  const start = (spec: object) =>
    apiOf(mesh).startCanary(
      { ...reviews, spec: { service: { name: "reviews" }, from: "v1", to: "v3", ...spec } },
      { user: "ada" },
    );
  const weights = async () => {
    const { rules } = await apiOf(mesh).routing(reviews);
    return Object.fromEntries((rules[0]?.destinations ?? []).map(({ subset, weight }) => [subset, weight]));
  };

  test("reviews go from v1 to v3, though the control plane is killed in between", async () => {
    await setReviews(mesh, 100, 0, 0);
    const steps = [
      { weight: 30, hold: "8s" },
      { weight: 60, hold: "8s" },
    ];
    await start({ steps, thresholds: lenient });
    const { startedAt = "" } = (await status()) ?? {};
    expect(await weights()).toMatchObject({ v1: 70, v3: 30 });
    const { pid } = (await mesh.status()).parts.find(({ name }) => name === "control-plane") ?? {};
    process.kill(pid ?? 0, "SIGKILL");
    await eventually(async () => (await status())?.phase === "Succeeded", patience, "the canary is through");
    expect(await status()).toMatchObject({ startedAt, step: 2, reason: "Passed" });
    expect(await weights()).toMatchObject({ v1: 0, v2: 0, v3: 100 });
    await eventually(async () => (await reviewVersions(mesh, 5)).v3 === 5, patience, "v3 answers all");
    const { changes } = await apiOf(mesh).changes({ sinceMs: 0, limit: 3 });
    expect(changes.map(({ author, summary }) => [author, summary])).toEqual([
      ["limpid (canary)", "canary reviews: finished, v3 100 %"],
      ["limpid (canary)", "canary reviews: step, v3 60 %"],
      ["ada", "canary reviews: step, v3 30 %"],
    ]);
    expect((await limpid(["canary", "status", "reviews", "--server", mesh.configApi])).out).toContain("Succeeded");
  });

  test("v3 becomes slow by a fault: the canary stops itself and goes back", async () => {
    await setReviews(mesh, 100, 0, 0);
    // v1 asks nobody for ratings; v3 does.
    const fault = {
      namespace: "default",
      service: "ratings",
      delay: { percentage: 100, fixedDelayMs: 1_500 },
      abort: null,
      header: null,
      source: { namespace: "default", app: "reviews", version: "v3" },
      durationSec: null,
    };
    await apiOf(mesh).injectFault(fault, { user: "ada" });
    onTestFinished(async () => {
      for (const { id } of (await apiOf(mesh).faults()).faults) await apiOf(mesh).stopFault(id, { user: "ada" });
    });
    const thresholds = { minRequests: 5, latencyP95: { max: "1s" } };
    await start({ steps: [{ weight: 50, hold: "10m" }], thresholds: { ...thresholds, successRate: { min: 0 } } });
    await eventually(async () => (await status())?.phase === "RolledBack", patience, "the canary has gone back");
    const { observed, fault: found, reason } = (await status()) ?? {};
    expect({ reason, by: found?.by }).toEqual({ reason: "Worse", by: "latency-max" });
    expect(observed?.to.latencyMsP95).toBeGreaterThan(1_000);
    expect(await weights()).toEqual({ v1: 100, v2: 0, v3: 0 });
    await eventually(async () => (await reviewVersions(mesh, 5)).v1 === 5, patience, "v1 answers all again");
  });

  describe.skipIf(chromium.missing)(`on the page${chromium.reason}`, () => {
    canaryJourney(() => {
      if (!browser) throw new Error("there is no browser");
      return runningOn(mesh, browser);
    });
  });
});
