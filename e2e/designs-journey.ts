import { expect, onTestFinished, test } from "vitest";
import type { ChangeList, DesignList } from "../server/contract/index.ts";
import { violations } from "./axe.ts";
import { apiOf } from "./config.ts";
import type { TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

const name = "as-it-was";
const ready = "usual-alerts";

/** From the catalogue into force and back, by hand. */
export function designsJourney(running: () => Running): void {
  test("a design is kept; a ready one comes into force as one change, goes back, and the kept one is removed", async () => {
    const { mesh, open } = running();
    onTestFinished(() => forget(mesh));
    const { page, problems } = await open("/designs");
    await page.getByTestId("keep-design").click();
    const form = page.getByTestId("keep-design-form");
    await form.locator("[name=name]").fill(name);
    await form.locator("[name=description]").fill("before anything was tried");
    await page.getByTestId("keep-design-save").click();
    const kept = page.locator(`[data-design="${name}"]`);
    await page.locator(`[data-design="${name}"][data-so="true"]`).waitFor();
    expect(await kept.textContent()).toContain("before anything was tried");

    const apply = page.locator(`[data-design="${ready}"]`).getByTestId("apply-design");
    await apply.press("Enter");
    await page.getByTestId("mesh-plan-confirm").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(`[data-design="${ready}"] [data-testid="apply-design"]:focus`).waitFor();
    await apply.click();
    const plan = page.getByTestId("mesh-plan-dialog");
    await plan.getByTestId("mesh-plan-confirm").click();
    await page.locator(`[data-design="${ready}"][data-so="true"]`).waitFor();
    await page.getByTestId("design-applied").getByText(`${ready} is in force`).waitFor();
    const { changes } = (await (await mesh.ask("/api/changes?limit=1")).json()) as ChangeList;
    expect(changes[0]?.words, "the history says which").toMatchObject([{ code: "design", design: ready }]);
    expect(changes[0]?.objects.length, "one change").toBe(4);

    await kept.getByTestId("design-menu").click();
    await page.getByTestId("compare-design").click();
    await page.getByTestId("compare").getByText("No difference").waitFor();
    // The address holds it, so that it is checked a moment later.
    await page.getByTestId("compare-whole").click();
    await page.getByTestId("differences").getByText("4 objects differ").waitFor();

    await page.getByTestId("undo-design").click();
    await page.locator(`[data-design="${ready}"][data-so="false"]`).waitFor();
    await page.getByTestId("design-applied").waitFor({ state: "detached" });
    const { designs } = (await (await mesh.ask("/api/designs")).json()) as DesignList;
    expect(designs.find((design) => design.name === ready)).toMatchObject({ differs: 0, lacks: 4 });

    await kept.getByTestId("design-menu").click();
    const remove = page.getByTestId("remove-design");
    await remove.click();
    await remove.getByText(`Remove ${name}?`).waitFor();
    await remove.click();
    await kept.waitFor({ state: "detached" });
    expect(problems).toEqual([]);
  });

  test("what was compared before can be read while other sides are being compared, and is not restored from", async () => {
    const { open } = running();
    for (const colorScheme of ["dark", "light"] as const) {
      const { page, problems } = await open("/history?from=r2", { colorScheme, reducedMotion: "reduce" });
      const differences = page.getByTestId("differences");
      await differences.getByRole("button", { name: "Restore …" }).first().waitFor();
      const answer = Promise.withResolvers<void>();
      await page.route("**/api/mesh/compare", async (route) => {
        await answer.promise;
        await route.continue();
      });
      await page.getByTestId("side-from").locator("input").fill("1");
      await page.locator('[data-testid="differences"][aria-busy="true"]').getByText("Comparing …").waitFor();
      expect(await violations(page), colorScheme).toEqual([]);
      expect(await differences.getByRole("button", { name: "Restore …" }).count()).toBe(0);
      answer.resolve();
      await differences.getByText("differ").first().waitFor();
      expect(problems).toEqual([]);
    }
  });
}

/** What a failed run leaves. */
async function forget(mesh: TestMesh): Promise<void> {
  const { designs } = (await (await mesh.ask("/api/designs")).json()) as DesignList;
  if (!designs.some((design) => design.name === name)) return;
  const key = { kind: "Design", namespace: "", name };
  await apiOf(mesh).transact([{ op: "delete", key }], undefined, { user: "e2e" });
}
