import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { virtualService } from "../server/config/kinds/virtual-service.ts";
import { PushStatus } from "../server/contract/index.ts";
import { patience, reload } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, reviewVersions, type TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

/** The hand on the slider, on whichever proxies the mesh has. */
export function sliderJourney(running: () => Running): void {
  test("reviews go from v1 to v3 by mouse: diff, Apply, every proxy has it, real responses follow, Undo", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page, problems } = await open("/services/default/reviews");
    await weight(page, "v1", 100);

    await drag(page, 1, 0, "v3", 100);
    const diff = page.getByTestId("change-card");
    await diff.getByText("weight: 100").first().waitFor();
    expect(await versionsNow(mesh), "nothing moves before Apply").toEqual({ v1: 5 });

    await page.getByTestId("apply").click();
    await pushed(page);
    // A proxy says yes a moment before each of its threads does as it said.
    await eventually(async () => (await reviewVersions(mesh, 20)).v3 === 20, patience, "v3 alone answers");
    // The thin bar follows the thick one, from real access logs.
    await observed(page, "v3");

    await page.getByTestId("undo").click();
    await weight(page, "v1", 100);
    await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
    expect(problems).toEqual([]);
  });

  test("the same by keyboard alone", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page, problems } = await open("/services/default/reviews");
    await weight(page, "v1", 100);
    const divider = page.getByTestId("split-divider-1");
    await tabTo(page, "split-divider-1");
    await page.keyboard.press("ArrowLeft");
    await weight(page, "v3", 1);
    await page.keyboard.press("Shift+ArrowLeft");
    await weight(page, "v3", 11);
    await page.keyboard.press("Home");
    await weight(page, "v3", 100);
    expect(await divider.getAttribute("aria-valuetext")).toBe("v2 0 %, v3 100 %");
    await tabTo(page, "apply");
    await page.keyboard.press("Enter");
    await pushed(page);
    // A proxy says yes a moment before each of its threads does as it said.
    await eventually(async () => (await reviewVersions(mesh, 20)).v3 === 20, patience, "v3 alone answers");
    await tabTo(page, "undo");
    await page.keyboard.press("Enter");
    await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
    expect(problems).toEqual([]);
  });

  test("rules of a delegate are shown with their root's, and shared: the object that is written is the delegate", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const api = apiOf(mesh);
    const as = { user: "e2e" };
    const part = { kind: "VirtualService", namespace: "default", name: "reviews-part" };
    const [root] = (await api.objects(virtualService)).filter(({ metadata }) => metadata.name === "reviews");
    if (!root) throw new Error("no VirtualService of reviews");
    const put = (name: string, spec: Record<string, unknown>) => ({
      op: "put" as const,
      object: { ...root, metadata: { name, namespace: "default" }, spec },
    });
    const delegated = [{ delegate: { name: part.name } }];
    await api.transact(
      [put(part.name, { http: root.spec.http }), put("reviews", { hosts: ["reviews"], http: delegated })],
      undefined,
      as,
    );
    try {
      const { page, problems } = await open("/services/default/reviews");
      await page.getByTestId("delegated").getByText(`default/${part.name}`).waitFor();
      const rules = page.getByTestId(`entrance-${part.name}`);
      await rules.getByTestId("quick-all-v3").click();
      await rules.getByTestId("apply").click();
      await eventually(async () => (await reviewVersions(mesh, 20)).v3 === 20, patience, "v3 alone answers");
      const stored = await api.objects(virtualService);
      expect(stored.find(({ metadata }) => metadata.name === "reviews")?.spec).toMatchObject({ http: delegated });
      await rules.getByTestId("undo").click();
      await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
      expect(problems).toEqual([]);
    } finally {
      await api.transact([put("reviews", root.spec), { op: "delete", key: part }], undefined, as);
    }
  });

  test("typed weights and locks; the proxies' own diff; Undo is offered after a reload, too", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page, problems } = await open("/services/default/reviews");
    await weight(page, "v1", 100);
    await page.getByTestId("weight-v2").fill("30");
    await weight(page, "v1", 70);
    await page.getByTestId("lock-v2").click();
    await page.getByTestId("weight-v3").fill("500");
    await weight(page, "v1", 0);
    await page.getByTestId("weight-v3").press("Enter");
    await weight(page, "v3", 70);
    await weight(page, "v2", 30);
    // Past the locked neighbour: v1 gains what v3 loses.
    await page.getByTestId("split-divider-1").press("End");
    await weight(page, "v1", 70);
    expect(await page.getByTestId("split-divider-1").getAttribute("aria-valuetext")).toBe("v2 30 %, v3 0 %");

    await page.getByTestId("diff-envoy").click();
    const host = page.getByTestId("envoy-diff").locator('[data-resource$="/reviews.default.svc.cluster.local:9080"]');
    await host.getByText("weight: 30").waitFor();
    await host.getByText("6 proxies get it").waitFor();
    expect(new URL(page.url()).searchParams.get("diff")).toBe("envoy");
    await page.getByTestId("apply").click();
    await pushed(page);

    await reload(page);
    await page.getByTestId("change-card").getByText("100/0/0 again").waitFor();
    await pushed(page);
    // By whom it was is not known after a reload: it is looked at first.
    await page.getByTestId("undo").click();
    await page.getByTestId("undo-dialog").getByText("weight: 100").first().waitFor();
    await page.getByTestId("undo-confirm").click();
    await weight(page, "v1", 100);
    await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "v1 answers again");
    expect(problems).toEqual([]);
  });

  test("a finger moves a divider", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page, problems } = await open("/services/default/reviews", {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
    });
    await weight(page, "v1", 100);
    await page.getByTestId("split-bar").scrollIntoViewIfNeeded();
    // Both handles belong at the end; they stand side by side once the bar knows its width.
    await page.waitForFunction(() => {
      const box = (divider: number) =>
        document.querySelector(`[data-testid="split-divider-${divider}"]`)?.getBoundingClientRect();
      return (box(0)?.right ?? 0) <= (box(1)?.left ?? 0) + 1;
    });
    const bar = await page.getByTestId("split-bar").boundingBox();
    const handle = await page.getByTestId("split-divider-0").boundingBox();
    if (!bar || !handle) throw new Error("the split bar is not in sight");
    const session = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", x?: number) =>
      session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: x === undefined ? [] : [{ x, y: handle.y + handle.height / 2 }],
      });
    const from = handle.x + handle.width / 2;
    await touch("touchStart", from);
    for (let step = 1; step <= 8; step++) await touch("touchMove", from - (bar.width / 2) * (step / 8));
    await touch("touchEnd");
    await page.waitForFunction(() => {
      const shown = document.querySelector<HTMLInputElement>('[data-testid="weight-v2"]')?.value;
      return Number(shown) >= 45 && Number(shown) <= 55;
    });
    expect(problems).toEqual([]);
  });

  test("somebody else was faster: who and what, and mine on top of it", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page } = await open("/services/default/reviews");
    await weight(page, "v1", 100);
    await page.getByTestId("weight-v3").fill("40");
    await page.getByTestId("change-card").getByText("weight: 40").waitFor();
    const api = apiOf(mesh);
    const { virtualService } = await api.routing({ namespace: "default", name: "reviews" });
    const theirs = {
      rule: 0,
      weights: { v1: 90, v2: 10, v3: 0 },
      resourceVersion: virtualService?.resourceVersion ?? null,
    };
    await api.setWeights({ namespace: "default", name: "reviews" }, theirs, { user: "bob" });
    await page.getByTestId("apply").click();
    const conflict = page.getByTestId("conflict");
    await conflict.getByText("bob").waitFor();
    await conflict.getByText("100/0/0 → 90/10/0").waitFor();
    await page.getByTestId("conflict-mine").click();
    await conflict.waitFor({ state: "detached" });
    await page.getByTestId("apply").click();
    // The push that is shown until then is theirs.
    await page.getByTestId("undo").waitFor();
    await pushed(page);
    const { rules } = await api.routing({ namespace: "default", name: "reviews" });
    expect(rules[0]?.destinations.map(({ subset, weight: percent }) => [subset, percent])).toEqual([
      ["v1", 60],
      ["v2", 0],
      ["v3", 40],
    ]);
  });

  test("a proxy that refuses is named where Apply was, with its own reason", async () => {
    const { mesh, open } = running();
    await startFromV1(mesh);
    const { page } = await open("/services/default/reviews");
    await weight(page, "v1", 100);
    // No config that the control plane accepts is refused by a proxy of the demo: one answer is put in a proxy's mouth.
    const reason = "VirtualHost http_proxy/reviews: routes[0].route.weighted_clusters: not supported";
    await page.route("**/api/pushes/*", async (route) => {
      const response = await route.fetch();
      const push = PushStatus.parse(await response.json());
      const proxies = push.proxies.map((proxy, i) =>
        i === 0 ? { ...proxy, name: "productpage-v1", state: "nacked" as const, error: reason } : proxy,
      );
      await route.fulfill({ response, json: { ...push, proxies } });
    });
    await page.getByTestId("weight-v3").fill("5");
    await page.getByTestId("apply").click();
    const refused = page.getByTestId("change-refused");
    await refused.getByText("Refused by productpage-v1").waitFor();
    await refused.getByText(reason).waitFor();
    await page.getByTestId("undo").waitFor();
  });
}

async function startFromV1(mesh: TestMesh): Promise<void> {
  await setReviews(mesh, 100, 0, 0);
  await eventually(async () => (await versionsNow(mesh)).v1 === 5, patience, "all traffic is at v1");
}

const versionsNow = (mesh: TestMesh) => reviewVersions(mesh, 5);

const weight = (page: Page, version: string, percent: number) =>
  page.waitForFunction(
    ([id, value]) => document.querySelector<HTMLInputElement>(`[data-testid="${id}"]`)?.value === value,
    [`weight-${version}`, String(percent)],
  );

/** By the mouse until the version has its percentage: what stands above may still find its place while a hand is under way. */
async function drag(page: Page, divider: number, toPercent: number, version: string, percent: number): Promise<void> {
  await eventually(
    async () => {
      const bar = await page.getByTestId("split-bar").boundingBox();
      const handle = await page.getByTestId(`split-divider-${divider}`).boundingBox();
      if (!bar || !handle) throw new Error("the split bar is not in sight");
      await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
      await page.mouse.down();
      // A little past the end: a hand does not stop on the pixel.
      await page.mouse.move(bar.x + (bar.width * toPercent) / 100 - 10, bar.y + bar.height / 2, { steps: 12 });
      await page.mouse.up();
      return (await page.getByTestId(`weight-${version}`).inputValue()) === String(percent);
    },
    patience,
    `${version} is dragged to ${percent} %`,
  );
}

async function tabTo(page: Page, testId: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await page.evaluate((id) => (document.activeElement as HTMLElement | null)?.dataset.testid === id, testId))
      return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${testId}`);
}

/** `n of n proxies`, with the milliseconds of the last one. */
async function pushed(page: Page): Promise<void> {
  const summary = page.locator('[data-testid="push-summary"][data-complete="true"]');
  await summary.waitFor();
  const text = (await summary.textContent()) ?? "";
  const [, there, total] = /(\d+)\D+(\d+)/.exec(text) ?? [];
  expect(Number(there), text).toBeGreaterThanOrEqual(1);
  expect(there, text).toBe(total);
  expect(text).toMatch(/\d\s*ms|\d\s*s/);
}

const observed = (page: Page, version: string) =>
  page.waitForFunction((name) => {
    const part = document.querySelector<HTMLElement>(`[data-testid="observed-bar"] [data-version="${name}"]`);
    return Number(part?.style.flexGrow) > 0.9;
  }, version);
