import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import type { CanaryList, LoadTargets, LoadTests } from "../server/contract/index.ts";
import { patience } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, type TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

const json = { "content-type": "application/json" };
const canary = "by-palette";

/** What goes on is ended from a page that shows none of it. */
export function paletteJourney(running: () => Running): void {
  test("the palette pauses, promotes and aborts a canary, ends a load test and a fault, and begins an undo", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 100, 0, 0);
    onTestFinished(async () => {
      const key = { kind: "Canary", namespace: "default", name: canary };
      await apiOf(mesh).transact([{ op: "delete", key }], undefined, { user: "e2e" });
    });
    const steps = [{ weight: 10, hold: "10m" }];
    await post(mesh, "/api/canaries", {
      ...{ namespace: "default", name: canary },
      spec: { service: { name: "reviews" }, from: "v1", to: "v3", steps },
    });
    const { targets } = (await (await mesh.ask("/api/load-targets")).json()) as LoadTargets;
    const url = `${targets.find(({ kind }) => kind === "gateway")?.origin}/productpage`;
    await post(mesh, "/api/load-tests", { url, rate: 1, durationSec: 600 });
    const abort = { percentage: 1, httpStatus: 503 };
    const fault = { namespace: "default", service: "details", delay: null, abort, header: null, durationSec: 600 };
    await apiOf(mesh).injectFault(fault, { user: "e2e" });

    const { page, problems } = await open("/services");
    await choose(page, "pause canary", "Pause the canary");
    await page.getByText(`The canary ${canary} is paused.`).waitFor();
    expect(await phaseOf(mesh)).toBe("Paused");
    await choose(page, "stop load", "Stop the load test");
    await page.getByText("The load test is stopped.").waitFor();
    const isStopped = async () => ((await (await mesh.ask("/api/load-tests")).json()) as LoadTests).running === null;
    await eventually(isStopped, patience, "no load test runs");
    await choose(page, "stop details", "Stop the fault on details");
    await page.getByText("The fault on details is stopped.").waitFor();
    expect(await apiOf(mesh).faults()).toMatchObject({ faults: [] });

    await choose(page, "undo", "Undo revision");
    await page.getByTestId("undo-dialog").locator(":focus").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("undo-dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement !== document.body);

    await choose(page, "promote", "Promote the canary");
    await page.locator('[data-testid="canary-promote"]:focus').waitFor();
    await choose(page, "abort canary", "Abort the canary");
    await page.getByText(`The canary ${canary} is aborted: the old weights again.`).waitFor();
    await eventually(async () => (await phaseOf(mesh)) === "RolledBack", patience, "it has gone back");
    expect(problems).toEqual([]);
  });
}

async function choose(page: Page, text: string, first: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to or do anything" }).fill(text);
  await page.locator('[role="option"][aria-selected="true"]').filter({ hasText: first }).waitFor();
  await page.keyboard.press("Enter");
}

async function post(mesh: TestMesh, path: string, body: object): Promise<void> {
  const answer = await mesh.ask(path, { method: "POST", headers: json, body: JSON.stringify(body) });
  expect(answer.status, await answer.text()).toBe(200);
}

async function phaseOf(mesh: TestMesh): Promise<string | undefined> {
  const { canaries } = (await (await mesh.ask("/api/canaries")).json()) as CanaryList;
  return canaries.find(({ name }) => name === canary)?.status?.phase;
}
