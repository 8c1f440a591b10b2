import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { alertsJourney } from "./alerts-journey.ts";
import { launchBrowser } from "./browser.ts";
import { explainJourney } from "./explain-journey.ts";
import { faultJourney } from "./fault-journey.ts";
import { loadJourney } from "./load-journey.ts";
import { startMesh, type TestMesh } from "./mesh.ts";
import { sliderJourney } from "./slider-journey.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`slider and fault on the bundled sidecars${chromium.reason}`, () => {
  let mesh: TestMesh;
  let browser: Browser;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  sliderJourney(() => ({ mesh, browser }));
  faultJourney(() => ({ mesh, browser }));
  explainJourney(() => ({ mesh, browser }));
  loadJourney(() => ({ mesh, browser }));
  alertsJourney(() => ({ mesh, browser }));
});
