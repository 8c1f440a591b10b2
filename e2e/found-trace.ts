import type { Page } from "playwright-core";
import { patience } from "./browser.ts";
import { eventually, type TestMesh } from "./mesh.ts";

/**
 * Presses the first trace of the list that went through reviews. On a busy machine the slowest request of all may have ended before it came
 * there, and a slower one may take a row's place while it is looked at.
 */
export const openWithReviews = (page: Page, mesh: TestMesh): Promise<true> =>
  eventually(
    async () => {
      const rows = page.locator("tbody tr[data-trace]");
      for (const id of await rows.evaluateAll((found) => found.map((row) => row.getAttribute("data-trace") ?? ""))) {
        if (!(await (await mesh.ask(`/api/traces/${id}`)).text()).includes('"reviews.default"')) continue;
        await page
          .locator(`tbody tr[data-trace="${id}"] a`)
          .first()
          .click({ timeout: patience / 4 });
        return true;
      }
      return false;
    },
    2 * patience,
    "a trace with a span of reviews",
  );
