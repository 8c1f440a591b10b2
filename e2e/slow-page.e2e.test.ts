import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { virtualService } from "../server/config/kinds/virtual-service.ts";
import { patience, reload, visit } from "./browser.ts";
import { apiOf } from "./config.ts";
import { openWithReviews } from "./found-trace.ts";
import { eventually, type TestMesh } from "./mesh.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`the page is slow${chromium.reason}`, () => {
  const running = meshAndBrowser();
  /** Each step is a page of its own: on a busy machine they may take their time. */
  const openSlowly = (path: string) => running().open(path, {}, 3 * patience);

  test("which hop, which version, which rule: five clicks from the overview", async () => {
    await slowDown(running().mesh);
    const { page, problems } = await openSlowly("/overview");
    const count = clicks(page);

    // Which service: it stands on the start page, with the reason.
    const trouble = page.getByTestId("trouble").getByRole("link", { name: "reviews" });
    await trouble.waitFor({ timeout: 60_000 });
    await trouble.click();
    // Its slowest traces …
    await page.getByTestId("service-traces").click();
    await openWithReviews(page, running().mesh);
    // … and in the slowest the hop that takes the time.
    const hop = page
      .getByTestId("waterfall")
      .locator('[data-service="productpage.default"]', { hasText: "reviews" })
      .first();
    await hop.click();
    await page.getByTestId("span-explain").click();
    // Which rule and version: the rule that takes it is open, with its place; what it does and where it leads stand below.
    const taken = page.locator('[data-verdict="taken"]').first();
    await taken.getByText("VirtualService default/reviews http[0]").waitFor();
    const answer = page.getByTestId("explain-outbound");
    await answer.getByText("outbound|9080|v2|reviews.default.svc.cluster.local").first().waitFor();
    await answer
      .getByText(/wait 1\.50 s|1\.5/)
      .first()
      .waitFor();
    expect(await count(), "clicks").toBeLessThan(6);
    expect(problems).toEqual([]);
  });

  test("a range and what it is compared with are in the address, and last over a reload", async () => {
    const { page, problems } = await openSlowly("/services/default/reviews?tab=metrics");
    await page.getByTestId("service-golden").waitFor();
    await page.getByTestId("window-picker").click();
    await page.getByTestId("compare-before").click();
    await page.getByTestId("range-apply").click();
    await eventually(
      async () => new URL(page.url()).searchParams.has("from"),
      2 * patience,
      "the range is in the address",
    );
    const { from, to, compare } = Object.fromEntries(new URL(page.url()).searchParams);
    expect(Number(to) - Number(from)).toBe(300_000);
    expect(compare).toBe("before");
    await reload(page);
    await page.getByTestId("delta").first().waitFor();
    await page.getByTestId("live-pill").getByText("replay of").waitFor();
    expect(problems).toEqual([]);
  });

  test("what proxies tell of themselves: chosen by name, grouped, and how full each is", async () => {
    const { page, problems } = await openSlowly("/metrics");
    await page.getByTestId("metric-search").fill("downstream cx active");
    await page.locator('[data-metric="envoy_http_downstream_cx_active"]').click();
    const table = page.getByTestId("metric-table");
    await table.getByText("reviews.default").waitFor();
    await page.getByTestId("by-instance").click();
    // All requests go to v2 here: a gauge that was never anything but nought is not sent.
    await table.getByText(/reviews-v2/).waitFor();
    expect(new URL(page.url()).searchParams.get("by")).toBe("service,instance");
    await visit(page, "/services/default/reviews?tab=metrics");
    const full = page.getByTestId("service-saturation");
    await full.getByRole("link", { name: "reviews-v2" }).click();
    await page.getByTestId("proxy-charts").getByText("Memory").waitFor();
    expect(problems).toEqual([]);
  });

  test("thresholds of a service are its own, and what it is judged by a moment later", async () => {
    const { page, problems } = await openSlowly("/services/default/details?tab=metrics&thresholds=edit");
    await page.getByTestId("threshold-latencyMsP95-own").check();
    // In this order every step between is one that could be written.
    await page.getByTestId("threshold-latencyMsP95-degraded").fill("1");
    await page.getByTestId("threshold-latencyMsP95-failing").fill("2");
    await page.getByTestId("thresholds-confirm").click();
    await page.getByTestId("thresholds-dialog").waitFor({ state: "detached" });
    await visit(page, "/services");
    await page.locator('[data-service="default/details.default.svc.cluster.local"][data-health="failing"]').waitFor();
    expect(problems).toEqual([]);
  });
});

/** Counts what is pressed from now on, across pages. */
function clicks(page: Page): () => Promise<number> {
  let count = 0;
  void page.exposeFunction("countClick", () => count++);
  const listen = () =>
    document.addEventListener("click", () => (window as never as { countClick(): void }).countClick(), true);
  void page.addInitScript(listen);
  void page.evaluate(listen);
  return async () => count;
}

/** Half of the requests for a review go to v2 by a rule of their own that makes them wait. */
async function slowDown(mesh: TestMesh): Promise<void> {
  const api = apiOf(mesh);
  const found = (await api.objects(virtualService)).find(({ metadata }) => metadata.name === "reviews");
  if (!found) throw new Error("no VirtualService reviews");
  const rest = (found.spec as { http: object[] }).http;
  const slow = {
    match: [{ uri: { prefix: "/reviews" } }],
    fault: { delay: { percentage: { value: 100 }, fixedDelay: "1.5s" } },
    route: [{ destination: { host: "reviews", subset: "v2" } }],
  };
  const object = { ...found, spec: { ...found.spec, http: [slow, ...rest] } };
  await api.transact([{ op: "put", object }], "slow", { user: "e2e" });
}
