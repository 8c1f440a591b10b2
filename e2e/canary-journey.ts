import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { patience } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

const reviewsPage = "/services/default/reviews";

/** A guided canary by its card, from the first press to the end. */
export function canaryJourney(running: () => Running): void {
  const share = async (version: string): Promise<number | undefined> => {
    const { rules } = await apiOf(running().mesh).routing({ namespace: "default", name: "reviews" });
    return rules[0]?.destinations.find(({ subset }) => subset === version)?.weight;
  };
  const phase = (page: Page, name: string) =>
    page.locator(`[data-testid="canary-progress"][data-phase="${name}"]`).waitFor();

  test("started by its form; both versions stand side by side; a closed page changes nothing; paused, resumed, aborted", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 100, 0, 0);
    const first = await open(reviewsPage);
    await first.page.getByTestId("canary-new").click();
    // A busy machine makes v3, which asks one more service, any number of times slower.
    await first.page.getByTestId("canary-latencyRatio").fill("1000");
    await first.page.getByTestId("canary-start").click();
    await phase(first.page, "Progressing");
    expect(await share("v3")).toBe(10);
    const rows = first.page.getByTestId("canary-progress").locator("tbody tr");
    expect(await rows.count()).toBe(2);
    await first.page
      .getByTestId("canary-left")
      .getByText(/^\d:\d\d left in this step$/)
      .waitFor();
    // Figures come from real requests.
    await first.page.getByTestId("canary-progress").locator('tr[data-version="v1"]').getByText("100").first().waitFor();
    expect(first.problems).toEqual([]);
    await first.page.context().close();

    const { page, problems } = await open(reviewsPage, { viewport: { width: 360, height: 740 } });
    await phase(page, "Progressing");
    await page.getByTestId("canary-pause").click();
    await phase(page, "Paused");
    await page.getByTestId("canary-resume").click();
    await phase(page, "Progressing");
    await page.getByTestId("canary-abort").click();
    await phase(page, "RolledBack");
    await eventually(async () => (await share("v1")) === 100, patience, "the weights from before");
    expect(problems).toEqual([]);
  });

  test("by keyboard alone, and promoted by hand; what is wrong is said by its field", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 100, 0, 0);
    const { page, problems } = await open(`${reviewsPage}?canary=new`, { locale: "zh-CN" });
    const weights = page.getByTestId("canary-weights");
    await weights.fill("50, 20");
    await page.getByTestId("field-errors").getByText("spec.steps[1].weight").waitFor();
    await weights.fill("20");
    await page.getByTestId("field-errors").waitFor({ state: "detached" });
    await page.getByTestId("canary-start").focus();
    await page.keyboard.press("Enter");
    await phase(page, "Progressing");
    await page.getByTestId("canary-promote").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await phase(page, "Succeeded");
    expect(await share("v3")).toBe(100);
    // What was typed wrong was refused, which a browser takes for a failure.
    expect(problems.filter((problem) => !problem.includes("/api/canaries?dryRun=true"))).toEqual([]);
  });
}
