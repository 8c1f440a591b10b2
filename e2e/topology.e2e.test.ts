import { statSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { patience, visit } from "./browser.ts";
import { apiOf } from "./config.ts";
import { openWithReviews } from "./found-trace.ts";
import { eventually } from "./mesh.ts";
import { meshAndBrowser } from "./running.ts";
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
  const running = meshAndBrowser();

  test("the six services stand in the graph with their calls, and the numbers move", async () => {
    const { page } = await running().open("/");
    expect(new URL(page.url()).pathname).toBe("/overview");
    await page.getByTestId("golden").waitFor();
    await visit(page, "/topology");
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
    const { page } = await running().open("/topology");
    await page.locator('[data-node="default/reviews/v1"]').waitFor({ state: "attached" });
    await eventually(() => paintedShare(page), patience, "something painted on the canvas");
    const button = page.locator('[data-node="default/ratings/v1"] button');
    await button.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/select=/);
    await page.getByRole("heading", { name: /ratings/ }).waitFor();
    expect(await button.getAttribute("aria-pressed")).toBe("true");
  });

  test("a fault on one edge stands on that edge; its panel counts it down and ends it; Back steps through what was selected", async () => {
    const { page, problems } = await running().open("/topology");
    await apiOf(running().mesh).injectFault(
      {
        namespace: "default",
        service: "ratings",
        delay: null,
        abort: { percentage: 60, httpStatus: 503 },
        header: null,
        source: { namespace: "default", app: "reviews", version: "v3" },
        durationSec: 300,
      },
      { user: "e2e" },
    );
    const hit = page.locator('li[data-source="default/reviews/v3"][data-target="default/ratings/v1"]');
    const spared = page.locator('li[data-source="default/reviews/v2"][data-target="default/ratings/v1"]');
    await eventually(async () => (await hit.getAttribute("data-faults")) === "1", patience, "the edge has the fault");
    expect(await spared.getAttribute("data-faults")).toBe("0");
    expect(await page.locator('[data-node="default/ratings/v1"]').getAttribute("data-badges")).not.toContain("fault");
    await page.locator('[data-node="default/ratings/v1"] button').focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/select=default%2Fratings/);
    await hit.locator("button").focus();
    await page.keyboard.press("Enter");
    const faults = page.getByTestId("panel-faults");
    await faults.getByText("60 % answered with 503").waitFor();
    await faults
      .getByTestId("fuse")
      .getByText(/\d:\d\d/)
      .waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /ratings/ }).waitFor();
    await faults.getByTestId("fault-stop-ratings").click();
    await faults.waitFor({ state: "detached" });
    expect((await apiOf(running().mesh).faults()).faults).toEqual([]);
    expect(problems).toEqual([]);
  });

  test("a request of productpage is found among the traces, and its spans of reviews are read", async () => {
    const { page, problems } = await running().open("/topology?select=default%2Fproductpage%2Fv1");
    await page.getByTestId("traces-slow").click();
    await page.waitForURL("**/traces?service=productpage.default&sort=-duration");
    await openWithReviews(page, running().mesh);
    await page.waitForURL(/\/traces\/[0-9a-f]{32}$/);
    const reviews = page.locator('[role="treeitem"][data-service="reviews.default"]').first();
    await reviews.waitFor();
    await page.locator('[role="treeitem"][tabindex="0"]').press("End");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowLeft");
    await reviews.waitFor({ state: "detached" });
    await page.keyboard.press("ArrowRight");
    await reviews.click();
    const panel = page.getByTestId("side-panel");
    await panel.getByText("http.status_code").waitFor();
    expect(new URL(page.url()).searchParams.get("span")).toMatch(/^[0-9a-f]{16}/);
    const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    expect(await page.getByTestId("trace-logs").getAttribute("href")).toBe(`/logs?trace=${id}`);
    const file = page.waitForEvent("download");
    await page.getByTestId("trace-download").click();
    expect((await file).suggestedFilename()).toBe(`trace-${id}.json`);
    expect(problems).toEqual([]);
  });

  test("the list view says the same in two tables", async () => {
    const { page } = await running().open("/topology?view=list");
    const table = page.getByTestId("graph-table");
    for (const id of workloads) await table.locator(`[data-node="${id}"]`).waitFor();
    expect(await table.locator("[data-edge]").count()).toBeGreaterThanOrEqual(7);
    // An order that only one of them has leaves the other in its own.
    await table.getByRole("button", { name: "to", exact: true }).click();
    await table.locator('th[aria-sort="ascending"]').getByText("to").waitFor();
    await table.locator('th[aria-sort="descending"]').getByText("errors").waitFor();
  });

  test("under reduced motion no request flies and nothing is animated, and without it they do", async () => {
    const { page: still } = await running().open("/topology?select=default%2Freviews", {
      reducedMotion: "reduce",
    });
    await still.locator('[data-node="default/reviews/v1"][data-health="healthy"]').waitFor({ state: "attached" });
    await eventually(() => paintedOn(still, "base"), patience, "a still graph");
    // Frame by frame: what is never there never moves. The style sheet leaves an animation a hundredth of a millisecond.
    for (let frame = 0; frame < 30; frame++) {
      expect(await afterFrame(still, animatedMs)).toBeLessThan(1);
      if (frame % 10 === 0) expect(await paintedOn(still, "particles")).toBe(0);
    }
    const { page: moving } = await running().open("/topology");
    await eventually(() => paintedOn(moving, "particles"), patience, "requests in flight");
  });

  test("the strip replays by key and by pointer, and Escape goes back to live", async () => {
    const { page, problems } = await running().open("/topology");
    await eventually(() => paintedOn(page, "base"), patience, "the page at work");
    const strip = page.getByTestId("time-strip");
    await strip.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL(/at=\d+/);
    await eventually(() => page.getByTestId("strip-live").isEnabled(), patience, "a way back to live");
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !url.searchParams.has("at"));
    const box = await strip.boundingBox();
    if (!box) throw new Error("the strip has no place");
    await page.mouse.move(box.x + box.width * 0.9, box.y + 30);
    const told = page.getByTestId("strip-hover");
    await eventually(async () => /\d\d:\d\d/.test((await told.textContent()) ?? ""), patience, "the moment in words");
    await page.mouse.down();
    await told.waitFor({ state: "detached" });
    await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 8 });
    await page.mouse.up();
    await page.waitForURL(/at=\d+/);
    // A mesh that was just started has no record of most of the strip.
    expect(await page.getByTestId("strip-unrecorded").count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test("a focused call is told in a tip, and its panel is a sheet on a phone", async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    const { page } = await running().open("/topology", phone);
    const call = page.locator('li[data-source="default/productpage/v1"][data-target="default/details/v1"] button');
    await call.waitFor({ state: "attached" });
    await eventually(() => paintedOn(page, "base"), patience, "the page at work");
    await call.focus();
    await page.getByTestId("graph-tip").getByText("productpage v1 → details v1").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByTestId("side-panel").getByText("details.default.svc.cluster.local").waitFor();
  });

  test("the list on a phone scrolls as one page", async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    const { page } = await running().open("/topology?view=list", phone);
    const table = page.getByTestId("graph-table");
    for (const id of workloads) await table.locator(`[data-node="${id}"]`).waitFor();
    const hidden = await table.evaluate(
      (list) =>
        [...list.querySelectorAll("section, section > div")].filter((one) => one.scrollHeight > one.clientHeight + 1)
          .length,
    );
    expect(hidden).toBe(0);
    expect(await table.evaluate((list) => list.scrollHeight > list.clientHeight)).toBe(true);
  });

  test("the export is a picture of what is seen", async () => {
    const { page } = await running().open("/topology");
    await page.locator('[data-node="default/reviews/v1"][data-health="healthy"]').waitFor({ state: "attached" });
    await eventually(() => paintedOn(page, "base"), patience, "something painted on the canvas");
    await page.getByTestId("export").click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-png").click()]);
    expect(file.suggestedFilename()).toMatch(/^topology-.*\.png$/);
    expect(statSync(await file.path()).size).toBeGreaterThan(20_000);
  });

  test("find keeps what was asked for", async () => {
    const { page } = await running().open("/topology?view=list");
    await page
      .locator('tr[data-node="default/ratings/v1"], li[data-node="default/ratings/v1"]')
      .first()
      .waitFor({ state: "attached" });
    await page.getByTestId("find").fill("details");
    const table = page.getByTestId("graph-table");
    await table.locator('[data-node="default/ratings/v1"]').waitFor({ state: "detached" });
    expect(await table.locator('[data-node="default/details/v1"]').count()).toBe(1);
    expect(page.url()).toContain("find=details");

    // Where nothing is found there is one way out, and it empties the field, too.
    await page.getByTestId("find").fill("gateway and split");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await table.locator('[data-node="default/ratings/v1"]').waitFor();
    expect(await page.getByTestId("find").inputValue()).toBe("");
  });
});

/** Pixels that are not transparent on one of the graph's two canvases. */
const paintedOn = (page: Page, layer: "base" | "particles"): Promise<number> =>
  page.evaluate(
    (index) => {
      const canvas = document.querySelectorAll<HTMLCanvasElement>('[data-testid="mesh-canvas"] canvas')[index];
      const pixels = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let painted = 0;
      for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) painted++;
      return painted;
    },
    layer === "base" ? 0 : 1,
  );

/** How long the longest animation or transition takes that is under way. */
const animatedMs = (): number =>
  Math.max(
    0,
    ...document
      .getAnimations()
      .filter((one) => one.playState === "running")
      .map((one) => Number(one.effect?.getComputedTiming().activeDuration ?? 0)),
  );

const afterFrame = async <T>(page: Page, read: () => T): Promise<T> => {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  return page.evaluate(read) as Promise<T>;
};

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
