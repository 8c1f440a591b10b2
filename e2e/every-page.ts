import type { Browser } from "playwright-core";
import { expect, test } from "vitest";
import { seriousViolations } from "./axe.ts";
import { openPage, patience, visit } from "./browser.ts";
import { eventually, type TestMesh } from "./mesh.ts";
import { namelessControls, stillness, widerThanScreen } from "./page-checks.ts";
import { pages } from "./pages.ts";

/** What holds of every page, whatever stands on it. */
export function everyPage(running: () => { mesh: TestMesh; browser: Browser }): void {
  const open = async ({ path, ready }: (typeof pages)[number], options = {}) => {
    const { mesh, browser } = running();
    const opened = await openPage(browser, mesh, path, options);
    await opened.page.locator(ready).first().waitFor({ state: "attached" });
    return opened;
  };

  test.each(pages)("$name: no error in the console, and every control has a name", async (one) => {
    const { page, problems } = await open(one);
    expect(await page.locator("h1").count()).toBe(1);
    expect(await page.title()).toMatch(/ · Limpid$/);
    expect(await namelessControls(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test.each(pages)("$name: nothing is wider than a phone, and the navigation stands below", async (one) => {
    const { page } = await open(one, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await eventually(
      async () => {
        const wide = await widerThanScreen(page);
        if (wide.length > 0) throw new Error(wide.join("; "));
        return true;
      },
      patience,
      "everything is within 360 px",
    );
    const navigation = await page.locator("nav").boundingBox();
    expect(navigation?.y).toBeGreaterThan(640);
  });

  // Each scheme and each language once: contrast does not depend on the language, nor names on the scheme.
  test.each([
    ["dark", "en"],
    ["light", "zh-CN"],
  ] as const)(
    "%s, in %s: nothing on any page keeps a person out",
    async (colorScheme, locale) => {
      const { mesh, browser } = running();
      // What moves can't be measured.
      const { page } = await openPage(browser, mesh, "/faults", { colorScheme, locale, reducedMotion: "reduce" });
      const found: string[] = [];
      for (const { name, path, ready } of pages) {
        await visit(page, path);
        await page.locator(ready).first().waitFor({ state: "attached" });
        found.push(...(await seriousViolations(page)).map((violation) => `${name}: ${violation}`));
      }
      await visit(page, "/proxies");
      await page.getByTestId("proxy-row-reviews-v1").getByRole("button", { name: "reviews-v1" }).click();
      await page
        .getByTestId("config-dump")
        .getByRole("button", { name: /inbound/ })
        .first()
        .click();
      await page.getByTestId("json-view").waitFor();
      found.push(...(await seriousViolations(page)).map((violation) => `config dump: ${violation}`));
      expect(found).toEqual([]);
    }, // As long as there are pages: each takes seconds on a busy machine.
    pages.length * 15_000,
  );

  test.each(pages)(
    "$name: nothing jumps while it fills, and nothing moves for who asked for stillness",
    async (one) => {
      const { page } = await open(one, { reducedMotion: "reduce" });
      const { shift, moving } = await page.evaluate(stillness);
      expect(moving).toEqual([]);
      // https://web.dev/articles/cls: up to 0.1 is good.
      expect(shift.sum, JSON.stringify(shift.of)).toBeLessThan(0.1);
    },
  );
}
