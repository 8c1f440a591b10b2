import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { z } from "zod";
import { Exemplars, LogPage, TraceList } from "../server/contract/index.ts";
import { patience, reload } from "./browser.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** Logs, traces and the map of latencies as somebody uses them who looks for one request. */
export function telemetryJourney(running: () => Running): void {
  const open = (path: string) => running().open(path);

  const asked = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(await (await running().mesh.ask(path)).json());

  test("lines of a time of one's own: in the address, over a reload, without new ones", async () => {
    const { page, problems } = await open("/logs?path=reviews");
    await page.getByTestId("log-row").first().waitFor();
    await page.getByTestId("window-picker").click();
    await page.getByTestId("range-apply").click();
    await page.waitForURL(/[?&]from=\d+&to=\d+/);
    const { from, to, path } = Object.fromEntries(new URL(page.url()).searchParams);
    expect([Number(to) - Number(from), path]).toEqual([900_000, "reviews"]);
    await page.getByTestId("log-row").first().waitFor();
    await page.locator('[data-testid="logs-live"]:disabled').waitFor();
    await reload(page);
    await page.getByTestId("log-row").first().waitFor();
    // The other kind of lines is of the same time.
    await page.getByTestId("show-applications").click();
    await page.waitForURL(/show=applications/);
    expect(new URL(page.url()).searchParams.get("to")).toBe(to);
    await page.getByTestId("window-picker").click();
    await page.getByTestId("window-3600").click();
    await page.waitForURL(/window=3600/);
    await page.locator('[data-testid="logs-live"]:enabled').waitFor();
    expect(problems).toEqual([]);
  });

  test("by keys alone: a line, what its fields mean, its trace, a span, why it went this way", async () => {
    // Of most requests no trace is kept.
    const calls = "service=reviews.default.svc.cluster.local&direction=outbound";
    const { slow } = await asked(`/api/exemplars?${calls}`, Exemplars);
    const { page, problems } = await open(`/logs?${calls}&trace=${slow[0]?.traceId}`);
    await page.getByTestId("log-row").first().getByRole("button").focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("log-details").getByText("the service itself answered").waitFor();
    await tabTo(page, page.getByTestId("log-trace"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    const waterfall = page.getByTestId("waterfall");
    await waterfall.waitFor();
    await tabTo(page, waterfall.getByRole("treeitem").first());
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByTestId("span-explain"));
    await page.keyboard.press("Enter");
    await page.locator('[data-verdict="taken"]').first().waitFor();
    expect(problems).toEqual([]);
  });

  test("a line whose trace was not sampled says so, and leads nowhere", async () => {
    const { entries } = await asked("/api/logs?limit=500", LogPage);
    const kept = await asked("/api/traces?limit=1000", TraceList);
    const ids = new Set(kept.traces.map(({ traceId }) => traceId));
    // Of the newest the spans may be on their way.
    const lost = entries.findLast(({ traceId }) => traceId !== "" && !ids.has(traceId));
    const { page, problems } = await open(`/logs?request=${lost?.requestId}&open=${lost?.id}`);
    await page.getByTestId("log-trace-lost").waitFor();
    expect(await page.getByTestId("log-trace").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test("how long telemetry is kept is saved by Enter; what makes no sense is told beside it", async () => {
    const { page, problems } = await open("/settings");
    const field = page.getByTestId("retention-access-logs");
    await field.fill("soon");
    await field.press("Enter");
    await page
      .getByTestId("retention")
      .getByText(/such as/)
      .first()
      .waitFor();
    const saved = page.getByTestId("retention").getByRole("status");
    for (const value of ["12h", ""]) {
      await field.fill(value);
      await field.press("Enter");
      await saved.getByText(/\S/).waitFor();
      await reload(page);
      expect(await field.inputValue()).toBe(value);
    }
    // The refusal is in the browser's console, too.
    expect(problems.filter((problem) => !problem.includes("400"))).toEqual([]);
  });

  test("a cell of the map of latencies leads to a trace, also where the machine has no network", async () => {
    const { page, problems } = await open("/traces");
    await page.getByTestId("trace-scatter").waitFor();
    // As the browser tells of it: what runs on the machine is there all the same.
    await page.evaluate(() => window.dispatchEvent(new Event("offline")));
    await page.getByTestId("view-heat").click();
    const cells = page.getByTestId("heatmap").getByRole("button");
    await cells.first().waitFor();
    const fullest = await cells.evaluateAll((all) => {
      const levels = all.map((cell) => Number.parseInt((cell as HTMLElement).style.getPropertyValue("--level"), 10));
      return levels.indexOf(Math.max(...levels));
    });
    await cells.nth(fullest).press("Enter");
    await page.getByTestId("heat-exemplars").getByTestId("exemplar").first().click();
    await page.getByTestId("waterfall").waitFor();
    expect(problems).toEqual([]);
  });
}

/** Goes on by Tab until the focus is there. */
async function tabTo(page: Page, place: Locator): Promise<void> {
  await place.waitFor();
  await eventually(
    async () => {
      if (await place.evaluate((element) => element === document.activeElement)) return true;
      await page.keyboard.press("Tab");
      return false;
    },
    patience,
    "the focus comes there by Tab",
  );
}
