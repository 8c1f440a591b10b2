import type { Page } from "playwright-core";
import { describe, type TestContext, test } from "vitest";
import { violations } from "./axe.ts";
import { type OpenOptions, patience, visit } from "./browser.ts";
import { eventually } from "./mesh.ts";
import { namelessControls, stillness, widerThanScreen } from "./page-checks.ts";
import { pages } from "./pages.ts";
import type { Running } from "./running.ts";
import { sessionCookie } from "./session.ts";

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** Several at a time: each waits for the mesh's next second for most of its own, and may take as much longer as there are of them. */
const together = { concurrent: true, timeout: 6 * patience };
const stepMs = 3 * patience;

const writtenByServer: ReadonlySet<string> = new Set([
  "service-thresholds",
  "thresholds",
  "security-strict",
  "security-coverage",
  "security-coverage-list",
  "security-refusals",
  "security-certificates",
  "policy-propose",
  "proxies",
  "audit",
]);

/** What holds of every page, whatever stands on it. Nothing here changes anything. */
export function everyPage(running: () => Running): void {
  const open = (path: string, { onTestFinished }: TestContext, options: OpenOptions = {}) =>
    running().open(path, { onTestFinished, ...options }, stepMs);
  const ready = (page: Page, selector: string) => page.locator(selector).first().waitFor({ state: "attached" });

  describe("on a desk, in the dark", together, () => {
    test.for(pages)(
      "$name: no error, nothing jumps, every control has a name, nothing keeps a person out",
      async (one, context) => {
        const { expect } = context;
        // What moves can't be measured.
        const { page, problems } = await open(one.path, context, { colorScheme: "dark", reducedMotion: "reduce" });
        await ready(page, one.ready);
        const { shift, moving } = await page.evaluate(stillness);
        expect(moving).toEqual([]);
        // https://web.dev/articles/cls: up to 0.1 is good.
        expect(shift.sum, JSON.stringify(shift.of)).toBeLessThanOrEqual(0.02);
        expect(await page.evaluate(fetchedPages), "other pages, before anybody is about to go there").toEqual([]);
        expect(await page.locator("h1").count()).toBe(1);
        expect(await page.title()).toMatch(/ · Limpid$/);
        expect(await namelessControls(page)).toEqual([]);
        expect(await violations(page)).toEqual([]);
        // Each scheme and each language once: contrast does not depend on the language, nor names on the scheme.
        await inChineseAndLight(page);
        await visit(page, one.path);
        await ready(page, one.ready);
        expect(await violations(page), "light, in Chinese").toEqual([]);
        expect(problems).toEqual([]);
      },
    );

    test("a proxy's config: nothing keeps a person out", async (context) => {
      const { expect } = context;
      const { page } = await open("/proxies", context, { colorScheme: "dark", reducedMotion: "reduce" });
      await openConfigDump(page);
      expect(await violations(page)).toEqual([]);
      await inChineseAndLight(page);
      await visit(page, "/proxies");
      await openConfigDump(page);
      expect(await violations(page), "light, in Chinese").toEqual([]);
    });
  });

  describe("what no address opens", together, () => {
    const opened = [
      { name: "the menu of a user", path: "/settings", press: '[data-testid="user-menu"]', there: '[role="menu"]' },
      { name: "a new user", path: "/users", press: '[data-testid="user-new"]', there: '[role="dialog"]' },
      {
        name: "what can be done with a user",
        path: "/users",
        press: '[data-testid="users"] tbody button',
        there: '[role="menu"]',
      },
      { name: "labels of the graph", path: "/topology", press: '[data-testid="labels"]', there: '[role="menu"]' },
      { name: "a new alert rule", path: "/alerts", press: '[data-testid="new-rule"]', there: '[role="dialog"]' },
      { name: "a design to keep", path: "/designs", press: '[data-testid="keep-design"]', there: '[role="dialog"]' },
      {
        name: "a design to apply",
        path: "/designs",
        press: '[data-design="strict-mutual-tls"] [data-testid="apply-design"]',
        there: '[data-testid="mesh-plan-confirm"]',
      },
      {
        name: "an undo",
        path: "/history",
        press: 'button[data-testid^="undo-"]',
        there: '[data-testid="undo-confirm"]',
      },
      {
        name: "an object to delete",
        path: "/config/VirtualService/default/reviews",
        press: '[data-testid="delete-object"]',
        there: '[data-testid="safety"] .cm-deletedLine',
      },
      {
        name: "the first step of the tour",
        path: "/settings",
        press: '[data-testid="tour-start"]',
        there: `[data-testid="tour"]`,
      },
    ];
    test.for(opened)("$name: nothing keeps a person out", async ({ path, press, there }, context) => {
      const { page } = await open(path, context, { colorScheme: "dark", reducedMotion: "reduce" });
      const look = async () => {
        await page.locator(press).first().press("Enter");
        await page.locator(there).first().waitFor();
        return [...(await violations(page)), ...(await lostFocus(page))];
      };
      context.expect(await look()).toEqual([]);
      await inChineseAndLight(page);
      await visit(page, path);
      context.expect(await look(), "light, in Chinese").toEqual([]);
    });

    test("each step of the tour, and the map of keys: nothing keeps a person out", async (context) => {
      const { page } = await open("/settings", context, { colorScheme: "dark", reducedMotion: "reduce" });
      await page.getByTestId("tour-start").press("Enter");
      for (let step = 1; step < 5; step++) {
        await page.getByTestId("tour-next").press("Enter");
        await page.getByText(`${step + 1} of 5`).waitFor();
        context.expect([step, ...(await violations(page)), ...(await lostFocus(page))]).toEqual([step]);
      }
      await page.getByTestId("tour-next").press("Enter");
      await page.getByTestId("tour").waitFor({ state: "detached" });
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      context.expect(await violations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.waitForFunction(() => document.activeElement !== document.body);
      await page.getByTestId("tour-start").press("Enter");
      await page.getByTestId("tour-end").press("Enter");
      await page.getByTestId("tour").waitFor({ state: "detached" });
    });
  });

  describe("before its scripts have come", together, () => {
    // What an address asks for waits for no script and no second request: a tab, a dialog, a panel beside the page.
    test.for(pages.filter(({ name }) => writtenByServer.has(name)))(
      "$name: the server has written it",
      async (one, { expect, onTestFinished }) => {
        const { mesh, browser } = running();
        const context = await browser.newContext({ baseURL: mesh.dashboard, javaScriptEnabled: false });
        onTestFinished(() => context.close());
        await context.addCookies([await sessionCookie(mesh)]);
        const page = await context.newPage();
        await page.goto(one.path, { timeout: stepMs });
        expect(await page.locator(one.ready).count(), one.ready).toBeGreaterThan(0);
      },
    );
  });

  describe("on a phone", together, () => {
    test.for(pages)("$name: nothing is wider than it, and the navigation stands below", async (one, context) => {
      const { expect } = context;
      const { page, problems } = await open(one.path, context, phone);
      await ready(page, one.ready);
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
      expect(problems).toEqual([]);
    });
  });
}

/** Where the focus is when a dialog is open, unless within it; empty: it is where a person goes on. */
async function lostFocus(page: Page): Promise<string[]> {
  const isHeld = () => {
    const dialog = document.querySelector('[role="dialog"]');
    return (
      (dialog ?? document.documentElement).contains(document.activeElement) && document.activeElement !== document.body
    );
  };
  return page.waitForFunction(isHeld, undefined, { timeout: stepMs }).then(
    () => [],
    async () => [`focus on ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120))}`],
  );
}

/** Runs in the page: which other pages it has fetched beforehand. */
const fetchedPages = () =>
  performance
    .getEntriesByType("resource")
    .map(({ name }) => name)
    .filter((name) => name.includes("_rsc="));

/** From the next visit on. */
async function inChineseAndLight(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.context().addCookies([{ name: "locale", value: "zh-CN", url: page.url() }]);
}

async function openConfigDump(page: Page): Promise<void> {
  await page.getByTestId("proxy-row-reviews-v1").getByRole("button", { name: "reviews-v1" }).click();
  await page
    .getByTestId("config-dump")
    .getByRole("button", { name: /inbound/ })
    .first()
    .click();
  await page.getByTestId("json-view").waitFor();
}
