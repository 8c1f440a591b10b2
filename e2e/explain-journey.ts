import { expect, test } from "vitest";
import { patience, visit } from "./browser.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** "The page is slow: which hop, which version, which rule?", and the same asked by hand. */
export function explainJourney(running: () => Running): void {
  test("from the topology to the line of YAML in five clicks: a slow trace, its hop, why, the rule", async () => {
    const { open } = running();
    const { page, problems } = await open("/topology?select=default%2Freviews");
    await page.getByTestId("exemplar").first().click();
    await page
      .getByTestId("waterfall")
      .locator('[data-service="productpage.default"]', { hasText: "reviews" })
      .first()
      .click();
    await page.getByTestId("span-explain").click();
    // Of the rules in their order the one that takes it is open, and names its place.
    const rule = page.locator('[data-verdict="taken"]').first().getByTestId("explain-origin");
    await rule.getByText(/VirtualService default\/reviews http\[\d+\]/).waitFor();
    expect(new URL(page.url()).searchParams.get("from")).toContain("productpage-v1");
    await rule.click();
    await page.getByTestId("yaml-editor").waitFor();
    expect(page.url()).toMatch(/\/config\/VirtualService\/default\/reviews\?line=\d+$/);
    expect(problems).toEqual([]);
  });

  test("a request that nobody sent is explained, and what makes no sense is told", async () => {
    const { open } = running();
    const { page } = await open("/explain");
    await page.getByTestId("explain-from").fill("default/productpage-v1");
    await page.getByTestId("explain-url").fill("http://nobody.example/x");
    await page.getByTestId("explain-ask").click();
    const verdict = page.getByTestId("explain-verdict");
    await eventually(async () => (await verdict.textContent())?.includes("502"), patience, "nobody is answered 502");
    await visit(page, "/explain?from=default%2Fproductpage-v1&url=ftp%3A%2F%2Fx");
    await page.getByText("ftp:// is none of").waitFor();
  });
}
