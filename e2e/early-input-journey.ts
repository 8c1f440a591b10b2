import { expect, test } from "vitest";
import { holdScripts, patience } from "./browser.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** Somebody is faster than the page: its controls are there, and what brings them to life is still on its way. */
export function earlyInputJourney(running: () => Running): void {
  const open: Running["open"] = (...asked) => running().open(...asked);

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

  test("Ctrl K before the page is alive opens the palette when it is", async () => {
    const { page } = await open("/settings");
    const arrive = await holdScripts(page);
    await page.goto("/services", { waitUntil: "commit" });
    // The frame may still stand twice, once hidden: what is streamed is put into its place by scripts.
    await page.getByTestId("palette").filter({ visible: true }).waitFor();
    await page.keyboard.press("Control+k");
    arrive();
    await page.getByRole("combobox", { name: "Go to or do anything" }).waitFor({ timeout: 3 * patience });
  });

  test("a part that is not served any more is missed by nobody else, and comes by itself when nothing would be lost", async () => {
    const { page } = await open("/services");
    await page.locator("[data-service]").first().waitFor();
    const chunks = "**/_next/static/chunks/**";
    await page.route(chunks, (route) => route.fulfill({ status: 404 }));
    await page.keyboard.press("Control+k");
    await page.getByTestId("missing-part").getByText("is not served any more").waitFor();
    expect(await page.locator("[data-service]").count(), "the page goes on").toBeGreaterThan(0);
    await page.unroute(chunks);
    const load = page.waitForEvent("load");
    await page.getByTestId("missing-part").getByRole("button").click();
    await load;

    await page.clock.install();
    await page.clock.fastForward("01:30");
    await page.route(chunks, (route) => route.fulfill({ status: 404 }));
    await page.keyboard.press("Control+k");
    await page.getByTestId("missing-part").waitFor();
    await page.unroute(chunks);
    const again = page.waitForEvent("load");
    await page.clock.runFor("00:04");
    await again;
    await page.getByTestId("missing-part").waitFor({ state: "detached" });
  });
}
