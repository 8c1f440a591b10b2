import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seriousViolations } from "./axe.ts";
import { launchBrowser, type OpenPage, openPage, patience, visit } from "./browser.ts";
import { codeText, writeCode } from "./code.ts";
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

  // Each scheme and each language once: contrast does not depend on the language, nor names on the scheme.
  test.each([
    ["dark", "en"],
    ["light", "zh-CN"],
  ] as const)(
    "%s, in %s: nothing on any page keeps a person out",
    async (colorScheme, locale) => {
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

  // Each on a page of its own: what one opens would take the focus from the next.
  test.each([
    ["reviews-v2 proxy", /\/proxies\?proxy=.*reviews-v2/],
    ["bookinfo-gateway default", /\/config\/Gateway\/default\/bookinfo-gateway$/],
    ["out of sync", /\/proxies\?sync=out$/],
    ["topology reviews", /\/topology\?select=default%2Freviews/],
    ["fault details", /\/faults\?new=default%2Fdetails/],
  ])("the palette finds %s", async (text, address) => {
    const { page, problems } = await openPage(browser, mesh, "/services");
    await eventually(
      async () => {
        await page.keyboard.press("Control+k");
        return page.getByRole("combobox").isVisible();
      },
      patience,
      "the palette opens",
    );
    await page.getByRole("combobox").fill(text);
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(address);
    expect(problems).toEqual([]);
  });

  test("Ctrl Enter in the editor applies and says so; a wrong field is named at its line; leaving asks", async () => {
    const { page, problems } = await openPage(browser, mesh, "/config/DestinationRule/default/details");
    const editor = page.getByTestId("yaml-editor");
    // What comes from the browser's own reads says that the page is alive.
    await page.getByTestId("history").locator("li").first().waitFor();
    await editor.waitFor();
    const yaml = await codeText(editor);
    await writeCode(editor, `${yaml.trimEnd()}\n  trafficPolicy:\n    conectionPool: {}\n`);
    await page.getByTestId("yaml-errors").getByText("conectionPool").first().waitFor();
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void dialog.dismiss();
    });
    await page.locator('nav [data-page="services"]').filter({ visible: true }).click();
    await eventually(() => questions.length === 1, patience, "it asks");
    expect(page.url()).toContain("/config/DestinationRule");
    await writeCode(
      editor,
      yaml.replace("spec:", "spec:\n  trafficPolicy:\n    loadBalancer:\n      simple: ROUND_ROBIN"),
    );
    await page.getByTestId("object-diff").getByText("ROUND_ROBIN").waitFor();
    await editor.press("Control+Enter");
    await page.getByTestId("editor-status").getByText("In force as revision").waitFor();
    await page.getByTestId("push-announcer").getByText("is in force on").waitFor({ state: "attached" });
    await page.getByTestId("undo").click();
    await eventually(async () => (await codeText(editor)) === yaml, patience, "the text is as before");
    await page.locator('nav [data-page="services"]').filter({ visible: true }).click();
    await page.waitForURL("**/services");
    expect(questions).toHaveLength(1);
    // A dry run that was refused is the browser's error too; it is what this test asked for.
    expect(problems.filter((problem) => !problem.includes("/api/apply"))).toEqual([]);
  });

  test("a filter is written key by key; where nothing matches it is cleared; the order is chosen by keyboard", async () => {
    const { page, problems } = await openPage(browser, mesh, "/services");
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
    const { page, problems } = await openPage(browser, mesh, "/logs?window=3600");
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

  test.each([
    ["/traces?min=abc", "must be milliseconds, such as 250"],
    ["/logs?code=teapot", "must be a status such as 503"],
  ])("an address that asks for what can't be says so, and leads out of it: %s", async (path, said) => {
    const { page } = await openPage(browser, mesh, path);
    await page.getByTestId("empty-state").getByText(said).waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.waitForURL((url) => url.search === "");
    await page.locator("tbody tr").first().waitFor();
  });

  test("a metric that nobody sends is named as such", async () => {
    const { page, problems } = await openPage(browser, mesh, "/metrics?metric=no.such");
    await page.getByTestId("empty-state").getByText("Nobody sends no.such").waitFor();
    expect(problems).toEqual([]);
  });

  test("a new object's example creates something, and takes nothing away", async () => {
    const { page, problems } = await openPage(browser, mesh, "/config/new");
    const diff = page.getByTestId("object-diff");
    await diff.getByText("example-api").waitFor();
    expect(await diff.locator(".cm-insertedLine, .cm-changedLine").count()).toBeGreaterThan(10);
    expect(await diff.locator(".cm-deletedLine").count()).toBe(0);
    expect(await page.getByTestId("apply").isEnabled()).toBe(true);
    expect(problems).toEqual([]);
  });

  test("the navigation below leads to the pages that are at hand on a phone", async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    const { page } = await openPage(browser, mesh, "/topology", phone);
    for (const key of ["services", "faults", "overview", "topology"]) {
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

  test("in Chinese what is wrong with a field, and what is hardly meant, is said in Chinese", async () => {
    const { page } = await openPage(browser, mesh, "/config/DestinationRule/default/details", { locale: "zh-CN" });
    const editor = page.getByTestId("yaml-editor");
    await page.getByTestId("history").locator("li").first().waitFor();
    await editor.waitFor();
    const yaml = await codeText(editor);
    await writeCode(editor, `${yaml.trimEnd()}\n  trafficPolicy:\n    connectionPool: {}\n`);
    await page.getByTestId("yaml-errors").getByText("至少需要 tcp, http 之一").waitFor();
    await writeCode(editor, yaml.replace(/host: .*/, "host: nobody"));
    await page.getByTestId("change-safety").getByText("没有 Service 或 ServiceEntry 拥有主机").waitFor();
  });

  test("Tab reaches the content and the navigation with a focus that is seen; Ctrl K goes anywhere", async () => {
    const { page } = await openPage(browser, mesh, "/services");
    await page.locator('a[href="/services/default/reviews.default.svc.cluster.local"]').first().waitFor();
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
    expect(reached).toEqual([
      ...[
        "overview",
        "topology",
        "services",
        "workloads",
        "gateways",
        "logs",
        "traces",
        "metrics",
        "explain",
        "security",
        "alerts",
      ],
      ...["faults", "load", "config"],
    ]);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("proxies");
    await page
      .getByRole("option", { name: /Proxies/ })
      .first()
      .waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/proxies**");
  });

  test("what is typed while the palette is on its way is in it, and is no shortcut of the page", async () => {
    const { page } = await openPage(browser, mesh, "/services");
    await page.locator('a[href="/services/default/reviews.default.svc.cluster.local"]').first().waitFor();
    const address = page.url();
    // Its code comes when it is asked for first: here not before everything is typed.
    let letThrough = () => {};
    const typed = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await page.route("**/_next/static/**", async (route) => {
      await typed;
      await route.continue();
    });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("go topx");
    await page.keyboard.press("Backspace");
    letThrough();
    const field = page.getByRole("combobox");
    await eventually(async () => (await field.inputValue()) === "go top", patience, "all of it, once");
    expect(page.url()).toBe(address);
    await field.fill("help keys");
    await page.getByRole("option", { name: /Help/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("This map").waitFor();
  });

  test("what is missing answers 404, an address of before leads on", async () => {
    const at = (path: string) => mesh.ask(path, { redirect: "manual" });
    for (const path of ["/services/default/nobody", "/config/Gateway/default/nobody", "/no-such-page"]) {
      expect((await at(path)).status, path).toBe(404);
    }
    const moved = await at("/services/default/reviews?tab=config");
    expect([moved.status, moved.headers.get("location")]).toEqual([
      307,
      "/services/default/reviews.default.svc.cluster.local?tab=config",
    ]);
    expect((await at("/services/default/reviews.default.svc.cluster.local")).status).toBe(200);
  });

  test("an address that leads nowhere says so, with a way back", async () => {
    const { page } = await openPage(browser, mesh, "/no-such-page");
    await page.getByText("There is no such page").waitFor();
    await eventually(() => page.locator('main a[href="/overview"]').count(), patience, "a link to the overview");
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

/** Runs in the page: how much of it has jumped without anybody's doing, and which animations run. */
async function stillness() {
  const entries = await new Promise<PerformanceEntry[]>((done) => {
    const seen: PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => done([...seen, ...observer.takeRecords()])));
  });
  interface Shift extends PerformanceEntry {
    value: number;
    hadRecentInput: boolean;
    sources: { node: Element | null }[];
  }
  const shifts = (entries as Shift[]).filter(({ hadRecentInput }) => !hadRecentInput);
  const of = shifts.flatMap(({ value, sources }) =>
    sources.map(({ node }) => `${value.toFixed(3)} ${node?.nodeName} ${node?.className ?? ""}`),
  );
  const moving = document
    .getAnimations()
    .filter((animation) => Number(animation.effect?.getComputedTiming().activeDuration ?? 0) > 1)
    .map((animation) => (animation as CSSAnimation).animationName ?? animation.id);
  return { shift: { sum: shifts.reduce((sum, { value }) => sum + value, 0), of: of.slice(0, 8) }, moving };
}

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
