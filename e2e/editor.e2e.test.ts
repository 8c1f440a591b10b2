import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { launchBrowser } from "./browser.ts";
import { editorJourney } from "./editor-journey.ts";
import { startMesh, type TestMesh } from "./mesh.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`the editor of traffic${chromium.reason}`, () => {
  let mesh: TestMesh;
  let browser: Browser;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  editorJourney(() => ({ mesh, browser }));
});
