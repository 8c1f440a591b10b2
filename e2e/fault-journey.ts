import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { patience, visit } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, getThrough, type TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

/** What the graph's edges are told by: the health over the window, so healing takes as long as the window. */
const windowMs = 10_000;

/** Short, and long enough to be seen and to lose the control plane meanwhile. */
const fuseSec = 20;

/** The fault with a fuse, on whichever proxies the mesh has. */
export function faultJourney(running: () => Running): void {
  test("503 for half of ratings: the edge turns red, the fault is listed, one click ends it, the edge heals", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 0, 0, 100);
    const { page, problems } = await open("/services/default/ratings");
    await page.getByTestId("inject-fault").click();
    await page.getByTestId("delay-on").uncheck();
    await page.getByTestId("abort-on").check();
    await page.getByTestId("abort-percentage").fill("50");
    await page.getByTestId("abort-status").fill("503");
    await page.getByTestId("duration-300").click();
    await page.getByTestId("fault-impact").getByText("reviews").first().waitFor();
    await page.getByTestId("fault-start").click();
    await page.getByTestId("burning-fault").waitFor();
    await eventually(async () => (await ratingsAnswer(mesh)) === "failed", patience, "a response without ratings");

    await visit(page, "/topology?window=10");
    const edge = page.locator('li[data-source="default/reviews/v3"][data-target="default/ratings/v1"]');
    await health(edge, "failing");
    expect(await edge.locator("button").textContent(), "said in words, not in colour alone").toContain("failing");
    await page.locator('[data-node="default/ratings/v1"][data-badges~="fault"]').waitFor({ state: "attached" });

    await page.locator('nav [data-page="faults"]').click();
    const row = page.locator("[data-fault]");
    await row.getByText("503").waitFor();
    await counting(page);
    await page.getByTestId("fault-stop-ratings").click();
    await row.waitFor({ state: "detached" });
    await visit(page, "/topology?window=10");
    await health(edge, "healthy");
    for (let i = 0; i < 10; i++) expect(await ratingsAnswer(mesh)).toBe("ok");
    expect(problems).toEqual([]);
  });

  test("a fault with a short fuse ends by itself, also when the control plane is killed meanwhile", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 0, 0, 100);
    // The page first: it may take longer to open than the fuse burns.
    const { page } = await open("/faults");
    await apiOf(mesh).injectFault(
      {
        namespace: "default",
        service: "ratings",
        delay: null,
        abort: { percentage: 100, httpStatus: 503 },
        header: null,
        durationSec: fuseSec,
      },
      { user: "e2e" },
    );
    await page.locator("[data-fault]").waitFor();
    await eventually(async () => (await ratingsAnswer(mesh)) === "failed", patience, "a response without ratings");
    const plane = (await mesh.status()).parts.find(({ name }) => name === "control-plane");
    process.kill(plane?.pid ?? 0, "SIGKILL");
    await page.locator("[data-fault]").waitFor({ state: "detached", timeout: fuseSec * 1000 + 2 * patience });
    expect((await apiOf(mesh).faults()).faults).toEqual([]);
    await eventually(async () => (await ratingsAnswer(mesh)) === "ok", 2 * patience, "ratings again");
  });

  test("a fault on one edge hits that caller alone; what stands in its way is stopped from the form; history says how each ended", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 0, 0, 100);
    const { page } = await open("/services/default/ratings?fault=new&from=default/reviews");
    await page.getByTestId("delay-on").uncheck();
    await page.getByTestId("abort-on").check();
    await page.getByTestId("abort-percentage").fill("100");
    await page.getByTestId("fault-start").click();
    await page.getByTestId("burning-fault").getByText("from reviews").waitFor();
    await eventually(async () => (await ratingsAnswer(mesh)) === "failed", patience, "a response without ratings");
    const [fault] = (await apiOf(mesh).faults()).faults;
    expect(fault?.matches).toEqual(["from reviews in default"]);

    await visit(page, "/services/default/ratings?fault=new&from=default/reviews");
    const inTheWay = page.getByTestId("fault-in-the-way");
    await inTheWay.getByText("stop it first").waitFor();
    expect(await page.getByTestId("fault-start").isDisabled()).toBe(true);
    await inTheWay.getByTestId("fault-stop-ratings").click();
    await inTheWay.waitFor({ state: "detached" });
    await page.getByTestId("fault-envoy").waitFor();
    expect(await page.getByTestId("fault-start").isDisabled()).toBe(false);
    await eventually(async () => (await ratingsAnswer(mesh)) === "ok", patience, "ratings again");

    await visit(page, "/faults");
    const latest = page.getByTestId("history").locator("tbody tr").first();
    await latest.getByText("from reviews").waitFor();
    expect(await latest.getAttribute("data-ended")).toBe("person");
    await latest.getByText("stopped by").waitFor();
  });
}

/** Whether reviews had its ratings, as the productpage's API tells it: with stars, or with an error in their place. */
async function ratingsAnswer(mesh: TestMesh): Promise<"ok" | "failed"> {
  const { body } = await getThrough(mesh.gateway, "/api/v1/products/0/reviews");
  return /"stars"/.test(body) ? "ok" : "failed";
}

const health = (edge: ReturnType<Page["locator"]>, wanted: string) =>
  eventually(
    async () => (await edge.getAttribute("data-health")) === wanted,
    windowMs + patience,
    `the edge is ${wanted}`,
  );

/** The countdown runs: two different readings. */
async function counting(page: Page): Promise<void> {
  const fuse = page.locator("[data-fault]").getByTestId("fuse");
  const first = await fuse.textContent();
  expect(first).toMatch(/\d/);
  await eventually(async () => (await fuse.textContent()) !== first, patience, "the countdown runs");
}
