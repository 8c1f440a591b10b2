import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, openPage, patience } from "./browser.ts";
import { eventually, startMesh, type TestMesh } from "./mesh.ts";
import { browser as chromium } from "./tools.ts";

const workloads = [
  "default/productpage/v1",
  "default/details/v1",
  "default/reviews/v1",
  "default/reviews/v2",
  "default/reviews/v3",
  "default/ratings/v1",
];

describe.skipIf(chromium.missing)(`topology${chromium.reason}`, () => {
  let mesh: TestMesh;
  let browser: Browser;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });

  test("the six services stand in the graph with their calls, and the numbers move", async () => {
    const { page } = await openPage(browser, mesh, "/");
    expect(new URL(page.url()).pathname).toBe("/topology");
    for (const id of workloads)
      await page.locator(`[data-node="${id}"][data-health="healthy"]`).waitFor({ state: "attached" });
    const calls = [
      ["default/productpage/v1", "default/details/v1"],
      ["default/productpage/v1", "default/reviews/v1"],
      ["default/productpage/v1", "default/reviews/v2"],
      ["default/productpage/v1", "default/reviews/v3"],
      ["default/reviews/v2", "default/ratings/v1"],
      ["default/reviews/v3", "default/ratings/v1"],
    ];
    for (const [source, target] of calls) {
      const edge = page.locator(`li[data-source="${source}"][data-target="${target}"]`);
      await eventually(
        async () => Number(await edge.getAttribute("data-rate")) > 0,
        patience,
        `${source} calls ${target}`,
      );
    }
    // v1 answers without ratings: no call may be drawn there.
    expect(await page.locator('li[data-source="default/reviews/v1"]').count()).toBe(0);

    const rate = () => page.locator('li[data-target="default/details/v1"]').getAttribute("data-rate").then(Number);
    const seen = new Set<number>();
    await eventually(
      async () => seen.add(await rate()).size >= 3,
      patience,
      "three different rates, one after another",
    );
  });

  test("the picture is painted, and a node opens its panel by mouse and by keyboard", async () => {
    const { page } = await openPage(browser, mesh, "/topology");
    await page.locator('[data-node="default/reviews/v1"]').waitFor({ state: "attached" });
    await eventually(() => paintedShare(page), patience, "something painted on the canvas");
    const button = page.locator('[data-node="default/ratings/v1"] button');
    await button.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/select=/);
    await page.getByRole("heading", { name: /ratings/ }).waitFor();
    expect(await button.getAttribute("aria-pressed")).toBe("true");
  });

  test("the list view says the same in two tables", async () => {
    const { page } = await openPage(browser, mesh, "/topology?view=list");
    const table = page.getByTestId("graph-table");
    for (const id of workloads) await table.locator(`[data-node="${id}"]`).waitFor();
    expect(await table.locator("[data-edge]").count()).toBeGreaterThanOrEqual(7);
  });

  test("find keeps what was asked for", async () => {
    const { page } = await openPage(browser, mesh, "/topology?view=list");
    await page
      .locator('tr[data-node="default/ratings/v1"], li[data-node="default/ratings/v1"]')
      .first()
      .waitFor({ state: "attached" });
    await page.getByTestId("find").fill("details");
    const table = page.getByTestId("graph-table");
    await table.locator('[data-node="default/ratings/v1"]').waitFor({ state: "detached" });
    expect(await table.locator('[data-node="default/details/v1"]').count()).toBe(1);
    expect(page.url()).toContain("find=details");
  });
});

/** Share of the graph's pixels that are not transparent; 0 while nothing was drawn. */
const paintedShare = (page: Page): Promise<number> =>
  page.evaluate(() => {
    let painted = 0;
    for (const canvas of document.querySelectorAll("canvas")) {
      const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) painted++;
    }
    return painted;
  });
