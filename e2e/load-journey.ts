import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { LoadTests } from "../server/contract/index.ts";
import { setReviews } from "./config.ts";
import type { Running } from "./running.ts";

/** Load as a workload calls a service, twice, with a change of the mesh in between. */
export function loadJourney(running: () => Running): void {
  test("a load test as productpage calls reviews, and a second one beside it with what was changed in between", async () => {
    const { mesh, open } = running();
    const { page, problems } = await open("/load");
    await page.getByTestId("load-target").selectOption({ label: await labelOf(page, "productpage-v1") });
    await page.getByTestId("load-host").fill("reviews:9080");
    await page.getByTestId("load-path").fill("/reviews/0");
    await page.getByTestId("load-duration").fill("3");
    await run(page, 1);
    await setReviews(mesh, 0, 50, 50);
    await run(page, 2);
    await page.getByTestId("load-show").first().click();
    const report = page.getByTestId("load-report");
    expect(await report.getByTestId("load-outcomes").textContent(), "all are answered well").toMatch(/^200 × \d+$/);
    await page.getByTestId("load-beside").first().click();
    await report.getByTestId("load-change").waitFor();
    await report.getByText("Changed between the two").waitFor();
    expect(await report.getByTestId("load-config").getAttribute("href")).toMatch(
      /^\/history\?from=t\d+&to=t\d+#compare$/,
    );
    expect(problems).toEqual([]);
  });

  test("a run of two requests in turn has a row for each", async () => {
    const { mesh, open } = running();
    const { page, problems } = await open("/load");
    const tests = async () => ((await (await mesh.ask("/api/load-tests")).json()) as LoadTests).reports;
    const before = (await tests()).length;
    await page.getByTestId("load-path").fill("/productpage");
    await page.getByTestId("load-duration").fill("3");
    await page.getByTestId("load-form").locator("summary").click();
    await page.getByTestId("load-also").fill("3 GET /api/v1/products");
    await run(page, before + 1);
    await page.getByTestId("load-show").first().click();
    const rows = page.getByTestId("load-report").locator("[data-request]");
    await rows.nth(1).waitFor();
    const asked = await rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-request") ?? ""));
    expect(asked.map((text) => text.replace(/https?:\/\/[^/]+/, ""))).toEqual([
      "GET /productpage",
      "GET /api/v1/products",
    ]);
    const [newest] = (await tests()).toSorted((a, b) => b.startedAt - a.startedAt);
    expect(newest?.outcome.requests.reduce((sum, { due }) => sum + due, 0)).toBe(newest?.outcome.due);
    expect(problems).toEqual([]);
  });
}

async function labelOf(page: Page, name: string): Promise<string> {
  const option = page.getByTestId("load-target").locator("option", { hasText: name });
  await option.waitFor({ state: "attached" });
  return (await option.textContent()) ?? "";
}

async function run(page: Page, kept: number): Promise<void> {
  await page.getByTestId("load-start").click();
  const report = page.locator(`[data-report]:nth-child(${kept})`);
  // On a busy machine it may be over before the page asks how far it is.
  await page.getByTestId("load-running").or(report).first().waitFor();
  await report.waitFor();
}
