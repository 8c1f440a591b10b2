import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { launchBrowser } from "./browser.ts";
import { earlyInputJourney } from "./early-input-journey.ts";
import { everyPage } from "./every-page.ts";
import { frameJourney } from "./frame-journey.ts";
import { listJourney } from "./list-journey.ts";
import { startMesh, type TestMesh } from "./mesh.ts";
import { telemetryJourney } from "./telemetry-journey.ts";
import { browser as chromium } from "./tools.ts";
import { yamlJourney } from "./yaml-journey.ts";

describe.skipIf(chromium.missing)(`every page${chromium.reason}`, () => {
  let mesh: TestMesh;
  let browser: Browser;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  everyPage(() => ({ mesh, browser }));
  frameJourney(() => ({ mesh, browser }));
  yamlJourney(() => ({ mesh, browser }));
  listJourney(() => ({ mesh, browser }));
  telemetryJourney(() => ({ mesh, browser }));
  earlyInputJourney(() => ({ mesh, browser }));
});
