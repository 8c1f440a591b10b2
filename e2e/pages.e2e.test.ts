import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, type OpenPage, openPage, patience } from "./browser.ts";
import { eventually, startMesh, type TestMesh } from "./mesh.ts";
import { pages } from "./pages.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`every page${chromium.reason}`, () => {
  let mesh: TestMesh;
  let browser: Browser;
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  const open = async ({ path, ready }: (typeof pages)[number], options = {}): Promise<OpenPage> => {
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

  test("the navigation below leads to every page on a phone", async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    const { page } = await openPage(browser, mesh, "/topology", phone);
    for (const key of ["services", "faults", "proxies", "config", "topology"]) {
      await page.locator(`nav [data-page="${key}"]`).tap();
      await page.waitForURL(`**/${key}**`);
      await page.locator(`nav [data-page="${key}"][aria-current="page"]`).waitFor();
      await page.locator("h1").waitFor({ state: "attached" });
    }
  });

  test.each(["dark", "light"] as const)("the %s scheme follows the system and is painted", async (colorScheme) => {
    const { page } = await openPage(browser, mesh, "/services", { colorScheme });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor({ state: "attached" });
    const luminance = await page.evaluate(() => {
      const [r = 0, g = 0, b = 0] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(
        Number,
      );
      return (r * 0.2126 + g * 0.7152 + b * 0.0722) / 255;
    });
    if (colorScheme === "dark") expect(luminance).toBeLessThan(0.25);
    else expect(luminance).toBeGreaterThan(0.75);
  });

  test("the language changes to 简体中文 and stays", async () => {
    const { page, problems } = await openPage(browser, mesh, "/services");
    // While the frame streams, its stand-in is in the document as well, out of sight.
    const link = page.locator('nav [data-page="services"]').filter({ visible: true });
    await link.getByText("Services", { exact: true }).waitFor();
    await page.getByTestId("user-menu").click();
    await page.getByTestId("locale-zh-CN").click();
    await link.getByText("服务", { exact: true }).waitFor();
    await page.reload();
    await link.getByText("服务", { exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    expect(problems).toEqual([]);
  });

  test("Tab reaches the content and the navigation with a focus that is seen; Ctrl K goes anywhere", async () => {
    const { page } = await openPage(browser, mesh, "/services");
    await page.locator('a[href="/services/default/reviews"]').first().waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("href"))).toBe("#main");
    const reached: string[] = [];
    for (let i = 0; i < 30 && !reached.includes("config"); i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const style = getComputedStyle(element);
        const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
        return { key: element.dataset.page, seen, what: element.outerHTML.slice(0, 120) };
      });
      expect(at.seen, `focus on ${at.what}`).toBe(true);
      if (at.key) reached.push(at.key);
    }
    expect(reached).toEqual(["topology", "services", "faults", "proxies", "config"]);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("proxies");
    await page
      .getByRole("option", { name: /Proxies/ })
      .first()
      .waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/proxies**");
  });

  test("an address that leads nowhere says so, with a way back", async () => {
    const { page } = await openPage(browser, mesh, "/no-such-page");
    await page.getByText("There is no such page").waitFor();
    await eventually(() => page.locator('main a[href="/topology"]').count(), patience, "a link to the topology");
  });
});

/** Roles that a person acts on: each must say what it is. https://www.w3.org/TR/wai-aria-1.2/#namefromprohibited */
const acting = new Set([
  "button",
  "link",
  "textbox",
  "searchbox",
  "checkbox",
  "radio",
  "combobox",
  "slider",
  "spinbutton",
  "switch",
  "tab",
  "menuitem",
  "menuitemradio",
  "menuitemcheckbox",
  "option",
  "dialog",
]);

/** Controls that Chromium's own accessibility tree has no name for. */
async function namelessControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const nameless = nodes.filter(
    ({ ignored, role, name }) => !ignored && acting.has(role?.value) && !name?.value?.trim(),
  );
  return Promise.all(
    nameless.map(async ({ role, backendDOMNodeId }) => {
      if (backendDOMNodeId === undefined) return String(role?.value);
      const { outerHTML } = await session.send("DOM.getOuterHTML", { backendNodeId: backendDOMNodeId });
      return `${role?.value}: ${outerHTML.slice(0, 160)}`;
    }),
  );
}

/** What makes the page scroll sideways. Content that scrolls in a box of its own is no trouble. */
const widerThanScreen = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      element !== document.body &&
      (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const wide =
      document.documentElement.scrollWidth > width ? [`the page: ${document.documentElement.scrollWidth}`] : [];
    const pageBox = document.querySelector("#main > *");
    if (
      pageBox &&
      !/hidden|clip/.test(getComputedStyle(pageBox).overflowX) &&
      pageBox.scrollWidth > pageBox.clientWidth + 1
    )
      wide.push(`main: ${pageBox.scrollWidth}`);
    for (const element of document.querySelectorAll("main *")) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && box.right > width + 1 && !scrolls(element.parentElement))
        wide.push(`${element.tagName.toLowerCase()}.${element.className} reaches ${Math.round(box.right)}`);
    }
    return wide.slice(0, 10);
  });
