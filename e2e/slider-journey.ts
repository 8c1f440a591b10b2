import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openPage, patience } from "./browser.ts";
import { setReviews } from "./config.ts";
import { eventually, getThrough, reviewVersions, type TestMesh } from "./mesh.ts";

/** The hand on the slider, on whichever proxies the mesh has. */
export function sliderJourney(running: () => { mesh: TestMesh; browser: Browser }): void {
  test("reviews go from v1 to v3 by mouse: diff, Apply, every proxy has it, real responses follow within 2 s, Undo", async () => {
    const { mesh, browser } = running();
    await startFromV1(mesh);
    const { page, problems } = await openPage(browser, mesh, "/services/default/reviews");
    await weight(page, "v1", 100);

    await drag(page, 1, 0);
    await weight(page, "v3", 100);
    const diff = page.getByTestId("change-card");
    await diff.getByText("weight: 100").first().waitFor();
    expect(await versionsNow(mesh), "nothing moves before Apply").toEqual({ v1: 5 });

    const answered = timeUntil(mesh, "v3");
    await page.getByTestId("apply").click();
    expect(await answered(), "ms from Apply to the first answer of v3").toBeLessThan(2000);
    await pushed(page);
    expect(await reviewVersions(mesh, 20)).toEqual({ v3: 20 });
    // The thin bar follows the thick one, from real access logs.
    await observed(page, "v3");

    await page.getByTestId("undo").click();
    await weight(page, "v1", 100);
    await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
    expect(problems).toEqual([]);
  });

  test("the same by keyboard alone", async () => {
    const { mesh, browser } = running();
    await startFromV1(mesh);
    const { page, problems } = await openPage(browser, mesh, "/services/default/reviews");
    await weight(page, "v1", 100);
    const divider = page.getByTestId("split-divider-1");
    await tabTo(page, "split-divider-1");
    await page.keyboard.press("ArrowLeft");
    await weight(page, "v3", 1);
    await page.keyboard.press("Shift+ArrowLeft");
    await weight(page, "v3", 11);
    await page.keyboard.press("Home");
    await weight(page, "v3", 100);
    expect(await divider.getAttribute("aria-valuetext")).toBe("v2 0 %, v3 100 %");
    await tabTo(page, "apply");
    const answered = timeUntil(mesh, "v3");
    await page.keyboard.press("Enter");
    expect(await answered(), "ms from Apply to the first answer of v3").toBeLessThan(2000);
    await pushed(page);
    await tabTo(page, "undo");
    await page.keyboard.press("Enter");
    await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
    expect(problems).toEqual([]);
  });
}

async function startFromV1(mesh: TestMesh): Promise<void> {
  await setReviews(mesh, 100, 0, 0);
  await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "all traffic is at v1");
}

const versionsNow = (mesh: TestMesh) => reviewVersions(mesh, 5);

const weight = (page: Page, version: string, percent: number) =>
  page.waitForFunction(
    ([id, value]) => document.querySelector<HTMLInputElement>(`[data-testid="${id}"]`)?.value === value,
    [`weight-${version}`, String(percent)],
  );

async function drag(page: Page, divider: number, toPercent: number): Promise<void> {
  const bar = await page.getByTestId("split-bar").boundingBox();
  const handle = await page.getByTestId(`split-divider-${divider}`).boundingBox();
  if (!bar || !handle) throw new Error("the split bar is not in sight");
  await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await page.mouse.down();
  // A little past the end: a hand does not stop on the pixel.
  await page.mouse.move(bar.x + (bar.width * toPercent) / 100 - 10, bar.y + bar.height / 2, { steps: 12 });
  await page.mouse.up();
}

async function tabTo(page: Page, testId: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await page.evaluate((id) => (document.activeElement as HTMLElement | null)?.dataset.testid === id, testId))
      return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${testId}`);
}

/** Starts asking now; the result waits for the version and says how many milliseconds after that call it answered. */
function timeUntil(mesh: TestMesh, version: string): () => Promise<number> {
  const started = performance.now();
  const first = (async () => {
    while (performance.now() - started < patience) {
      const { body } = await getThrough(mesh.gateway, "/api/v1/products/0/reviews");
      if (body.includes(`"podname":"reviews-${version}"`)) return performance.now() - started;
    }
    return Number.POSITIVE_INFINITY;
  })();
  return () => first;
}

/** `n of n proxies`, with the milliseconds of the last one. */
async function pushed(page: Page): Promise<void> {
  const summary = page.locator('[data-testid="push-summary"][data-complete="true"]');
  await summary.waitFor();
  const text = (await summary.textContent()) ?? "";
  const [, there, total] = /(\d+)\D+(\d+)/.exec(text) ?? [];
  expect(Number(there), text).toBeGreaterThanOrEqual(1);
  expect(there, text).toBe(total);
  expect(text).toMatch(/\d\s*ms|\d\s*s/);
}

const observed = (page: Page, version: string) =>
  page.waitForFunction((name) => {
    const part = document.querySelector<HTMLElement>(`[data-testid="observed-bar"] [data-version="${name}"]`);
    return Number(part?.style.flexGrow) > 0.9;
  }, version);
