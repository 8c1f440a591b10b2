import { expect, test } from "vitest";
import type { MeshStatus } from "../server/contract/index.ts";
import { holdScripts, patience, reload, visit } from "./browser.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** What is around every page: palette, navigation, keys, scheme and language; and addresses that lead nowhere. */
export function frameJourney(running: () => Running): void {
  const open: Running["open"] = (...asked) => running().open(...asked);

  // Each on a page of its own: what one opens would take the focus from the next.
  test.each([
    ["reviews-v2 proxy", /^reviews-v2/, /\/proxies\?proxy=.*reviews-v2/],
    ["bookinfo-gateway default", /^bookinfo-gateway/, /\/config\/Gateway\/default\/bookinfo-gateway$/],
    ["out of sync", /out of sync/i, /\/proxies\?sync=out$/],
    ["topology reviews", /reviews/, /\/topology\?select=default%2Freviews/],
    ["usual alerts", /^usual-alerts/, /\/designs\?from=now&to=d%3Ausual-alerts$/],
    ["last 15 min", /^Show the last 15 min/, /\/services\?window=900$/],
    ["fault details", /details/, /\/faults\?new=default%2Fdetails/],
  ])("the palette finds %s", async (text, first, address) => {
    const { page, problems } = await open("/services");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill(text);
    // What the mesh has comes after the pages that are always there.
    await page.locator('[role="option"][aria-selected="true"]').filter({ hasText: first }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(address);
    expect(problems).toEqual([]);
  });

  test("the navigation below leads to the pages that are at hand on a phone", async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    const { page } = await open("/topology", phone);
    for (const key of ["services", "faults", "overview", "topology"]) {
      await page.locator(`nav [data-page="${key}"]`).tap();
      await page.waitForURL(`**/${key}**`);
      await page.locator(`nav [data-page="${key}"][aria-current="page"]`).waitFor();
      await page.locator("h1").waitFor({ state: "attached" });
    }
  });

  test.each(["dark", "light"] as const)("the %s scheme follows the system and is painted", async (colorScheme) => {
    const { page } = await open("/services", { colorScheme });
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
    const { page, problems } = await open("/services");
    // While the frame streams, its stand-in is in the document as well, out of sight.
    const link = page.locator('nav [data-page="services"]').filter({ visible: true });
    await link.getByText("Services", { exact: true }).waitFor();
    await page.getByTestId("user-menu").click();
    await page.getByTestId("locale-zh-CN").click();
    await link.getByText("服务", { exact: true }).waitFor();
    await reload(page);
    await link.getByText("服务", { exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    expect(problems).toEqual([]);
  });

  test("Tab reaches the content and the navigation with a focus that is seen; Ctrl K goes anywhere", async () => {
    const { page } = await open("/services");
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

  test("the focus is never lost: what takes its own place away leaves it where it was before", async () => {
    const { page, problems } = await open("/services");
    const held = (testId: string) =>
      page.waitForFunction((id) => (document.activeElement as HTMLElement | null)?.dataset.testid === id, testId);
    await page.locator("[data-service]").first().waitFor();
    await page.getByTestId("service-filter").focus();
    await page.keyboard.type("zzz");
    await page.getByRole("button", { name: "Clear filters" }).press("Enter");
    await held("service-filter");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("combobox").waitFor({ state: "detached" });
    await held("service-filter");
    // What was written is thrown away by the key that wrote it: the handle has the focus again.
    await visit(page, "/services/default/reviews");
    await page.getByTestId("split-divider-0").press("ArrowLeft");
    await page.getByTestId("discard").press("Enter");
    await page.getByTestId("discard").waitFor({ state: "detached" });
    await held("split-divider-0");
    expect(problems).toEqual([]);
  });

  test("a dialog that the address opens stands in the middle, and has the focus", async () => {
    const { page } = await open("/services?thresholds=edit");
    const dialog = page.getByRole("dialog");
    await dialog.locator(":focus").waitFor();
    const box = await dialog.boundingBox();
    expect(Math.abs((box?.x ?? 0) + (box?.width ?? 0) / 2 - 720)).toBeLessThan(12);
  });

  test("what is typed while the palette is on its way is in it, and is no shortcut of the page", async () => {
    const { page } = await open("/services");
    await page.locator('a[href="/services/default/reviews.default.svc.cluster.local"]').first().waitFor();
    const address = page.url();
    // Its code comes when it is asked for first: here not before everything is typed.
    const arrive = await holdScripts(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("go topx");
    await page.keyboard.press("Backspace");
    arrive();
    const field = page.getByRole("combobox");
    await eventually(async () => (await field.inputValue()) === "go top", patience, "all of it, once");
    expect(page.url()).toBe(address);
    await field.fill("help keys");
    await page.getByRole("option", { name: /Help/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("This map").waitFor();
  });

  test("what is typed after Ctrl K, and before the page is alive, is in the palette", async () => {
    const { page, problems } = await open("/settings");
    const arrive = await holdScripts(page);
    await page.goto("/services", { waitUntil: "commit" });
    await page.getByTestId("palette").filter({ visible: true }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("faulr");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("t details");
    arrive();
    const field = page.getByRole("combobox", { name: "Go to or do anything" });
    await field.waitFor({ timeout: 3 * patience });
    await eventually(async () => (await field.inputValue()) === "fault details", patience, "all of it, once");
    expect(problems).toEqual([]);
  });

  test("only where an address names a time is the page said to be a replay, and then from when to when", async () => {
    const to = Date.now() - 60_000;
    const { page } = await open(`/services?from=${to - 3_600_000}&to=${to}`);
    const pill = page.getByTestId("live-pill");
    await pill.getByText(/^replay of .*\d\d:\d\d – .*\d\d:\d\d$/).waitFor();
    for (const path of ["/faults", "/proxies", "/load"]) {
      await visit(page, `${path}?from=${to - 3_600_000}&to=${to}`);
      await pill.getByText("live").waitFor();
    }
  });

  test("what a backend of telemetry lacks is read by finger and by key", async () => {
    const { page } = await open("/services", { viewport: { width: 360, height: 740 }, hasTouch: true });
    await page.route("**/api/status", async (route) => {
      const answer = await route.fetch();
      const status = (await answer.json()) as MeshStatus;
      const { collector } = status.telemetry;
      const lost = { dropped: 7, refused: 0, waiting: 3, lastError: "connect ECONNREFUSED" };
      const exports = [{ signal: "traces" as const, endpoint: "http://backend:4317", sent: 0, retries: 2, ...lost }];
      await route.fulfill({
        json: { ...status, telemetry: { ...status.telemetry, collector: { ...collector, exports } } },
      });
    });
    const pill = page.getByTestId("live-pill");
    await page.getByTestId("telemetry-losses").waitFor();
    const why = page.getByTestId("live-why").getByText("traces to http://backend:4317: 7 lost, 3 waiting");
    await pill.tap();
    await why.waitFor();
    await page.keyboard.press("Escape");
    await why.waitFor({ state: "hidden" });
    await pill.focus();
    await page.keyboard.press("Enter");
    await why.waitFor();
  });

  test("what is missing answers 404, an address of before leads on", async () => {
    const at = (path: string) => running().mesh.ask(path, { redirect: "manual" });
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
    const { page } = await open("/no-such-page");
    await page.getByText("There is no such page").waitFor();
    await eventually(() => page.locator('main a[href="/overview"]').count(), patience, "a link to the overview");
  });
}
