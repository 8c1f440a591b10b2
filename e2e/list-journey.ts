import { expect, test } from "vitest";
import { patience } from "./browser.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** Lists that are narrowed, put in order and followed. */
export function listJourney(running: () => Running): void {
  const open: Running["open"] = (...asked) => running().open(...asked);

  test.each([
    ["/traces?min=abc", "must be milliseconds, such as 250"],
    ["/logs?code=teapot", "must be a status such as 503"],
  ])("an address that asks for what can't be says so, and leads out of it: %s", async (path, said) => {
    const { page } = await open(path);
    await page.getByTestId("empty-state").getByText(said).waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.waitForURL((url) => url.search === "");
    await page.locator("tbody tr").first().waitFor();
  });

  test("a metric that nobody sends is named as such", async () => {
    const { page, problems } = await open("/metrics?metric=no.such");
    await page.getByTestId("empty-state").getByText("Nobody sends no.such").waitFor();
    expect(problems).toEqual([]);
  });

  test("a filter is written key by key; where nothing matches it is cleared; the order is chosen by keyboard", async () => {
    const { page, problems } = await open("/services");
    const reviews = page.locator('[data-service="default/reviews.default.svc.cluster.local"]');
    await reviews.waitFor();
    const filter = page.getByTestId("service-filter");
    await filter.focus();
    for (const text of ["x", "xy"]) {
      await page.keyboard.press(text.slice(-1));
      await page.waitForURL(`**/services?filter=${text}`);
      await page.getByTestId("empty-state").waitFor();
    }
    await page.getByRole("button", { name: "Clear filters" }).click();
    await reviews.waitFor();
    expect(await filter.inputValue()).toBe("");

    // The worst comes first until somebody asks for another order.
    const header = page.getByRole("columnheader", { name: "service" });
    expect(await header.getAttribute("aria-sort")).toBe("none");
    await header.getByRole("button").press("Enter");
    await page.locator('th[aria-sort="ascending"]').getByText("service").waitFor();
    await header.getByRole("button").press("Enter");
    await page.locator('th[aria-sort="descending"]').getByText("service").waitFor();
    const first = await page.locator("tbody tr").first().getAttribute("data-service");
    expect(first).toBe("default/reviews.default.svc.cluster.local");
    expect(problems).toEqual([]);
  });

  test("a request is searched by its path, opened, and leads to its rule and its service; new ones are followed", async () => {
    const { page, problems } = await open("/logs?window=3600");
    const rows = page.getByTestId("log-row");
    await rows.first().waitFor();
    await page.getByTestId("logs-path").fill("/reviews/");
    await page.waitForURL(/path=%2Freviews%2F/);
    await eventually(
      async () => {
        const paths = await rows.locator('[data-cell="request"]').allTextContents();
        return paths.length > 0 && paths.every((path) => path.includes("/reviews/"));
      },
      patience,
      "only what has the path",
    );
    await rows.first().getByRole("button").press("Enter");
    await page.waitForURL(/open=\d+/);
    const details = page.getByTestId("log-details");
    await details.getByText("x-request-id", { exact: false }).waitFor();
    expect(await details.getByTestId("log-proxy").count()).toBe(1);

    // While a line is open nothing moves; what comes meanwhile is counted.
    await page.getByTestId("logs-live").click();
    const held = page.getByTestId("logs-held");
    await held.waitFor();
    const before = await page.locator("[data-log]").first().getAttribute("data-log");
    await held.click();
    await eventually(
      async () => (await page.locator("[data-log]").first().getAttribute("data-log")) !== before,
      patience,
      "new lines",
    );

    await page.getByTestId("logs-live").click();
    await rows.first().getByRole("button").press("Enter");
    await details.getByTestId("log-service").click();
    await page.waitForURL("**/services/default/reviews.default.svc.cluster.local");
    await page.getByTestId("service-logs").click();
    await page.waitForURL(/\/logs\?service=reviews\.default\.svc\.cluster\.local$/);
    await rows.first().waitFor();
    expect(problems).toEqual([]);
  });
}
