import type { Browser } from "playwright-core";
import { expect, test } from "vitest";
import { holdScripts, openPage, patience } from "./browser.ts";
import { eventually, type TestMesh } from "./mesh.ts";

/** Somebody is faster than the page: its controls are there, and what brings them to life is still on its way. */
export function earlyInputJourney(running: () => { mesh: TestMesh; browser: Browser }): void {
  const open = (path: string, options = {}) => {
    const { mesh, browser } = running();
    return openPage(browser, mesh, path, options);
  };

  test("what is chosen and typed before the page is alive stays, and does what it would have done", async () => {
    const { page, problems } = await open("/settings");
    const arrive = await holdScripts(page);
    await page.goto("/history", { waitUntil: "commit" });
    const [kind, object] = [page.getByTestId("history-type"), page.getByTestId("history-object")];
    await kind.selectOption("traffic");
    await object.fill("reviews");
    expect(new URL(page.url()).search, "nothing listens yet").toBe("");
    arrive();
    // All of the page's scripts come now.
    await page.waitForURL((url) => url.searchParams.get("type") === "traffic", { timeout: 3 * patience });
    await page.waitForURL((url) => url.searchParams.get("object") === "reviews");
    // The address comes first, the control after it.
    await eventually(
      async () => `${await kind.inputValue()} ${await object.inputValue()}` === "traffic reviews",
      patience,
      "what was chosen stands in the controls",
    );
    expect(problems).toEqual([]);
  });
}
