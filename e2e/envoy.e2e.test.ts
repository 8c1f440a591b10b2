import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { apiOf } from "./config.ts";
import { faultJourney } from "./fault-journey.ts";
import { eventually, isRunning, startMesh, type TestMesh } from "./mesh.ts";
import { mutualTlsJourney } from "./mutual-tls-journey.ts";
import { sliderJourney } from "./slider-journey.ts";
import { browser as chromium, envoy } from "./tools.ts";

// What keeps us honest: nothing in control plane, telemetry or dashboard may know which of the two proxies it talks to.
describe.skipIf(envoy.missing)(`a fleet of real Envoys${envoy.reason}`, () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startMesh(["--proxy", "envoy"], 120_000);
  });
  afterAll(async () => {
    await mesh?.stop();
  });

  test("every proxy is an Envoy, and none refuses anything", async () => {
    expect((await mesh.status()).proxy).toBe("envoy");
    const push = await eventually(() => apiOf(mesh).push("latest"), 20_000, "a push");
    expect(push.proxies.map(({ error }) => error)).toEqual(push.proxies.map(() => null));
  });

  describe.skipIf(chromium.missing)(`slider and fault${chromium.reason}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
    });
    sliderJourney(() => ({ mesh, browser }));
    faultJourney(() => ({ mesh, browser }));
    mutualTlsJourney(() => ({ mesh, browser }));
  });

  test("a killed supervisor takes the Envoys along", async () => {
    const pids = (await mesh.status()).parts.flatMap(({ pid }) => pid ?? []);
    mesh.process.kill("SIGKILL");
    await eventually(() => pids.every((pid) => !isRunning(pid)), 15_000, "every part has ended");
  });
});
