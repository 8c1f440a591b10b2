import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { launchBrowser, type OpenOptions, type OpenPage, openPage } from "./browser.ts";
import { startMesh, type TestMesh } from "./mesh.ts";

/** A mesh, and a browser for whoever looks at its dashboard. */
export interface Running {
  mesh: TestMesh;
  browser: Browser;
  /** A page of the mesh's dashboard in a fresh profile. */
  open(path: string, options?: OpenOptions, timeoutMs?: number): Promise<OpenPage>;
}

/** Both are there before the first test of the suite that asks for them, and gone after its last. `args`: of `limpid up`. */
export function meshAndBrowser(args: readonly string[] = []): () => Running {
  let [mesh, browser]: [TestMesh?, Browser?] = [];
  beforeAll(async () => {
    [mesh, browser] = await Promise.all([startMesh(args), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
  });
  return () => {
    if (!mesh || !browser) throw new Error("mesh and browser are there within tests only");
    return runningOn(mesh, browser);
  };
}

export const runningOn = (mesh: TestMesh, browser: Browser): Running => ({
  mesh,
  browser,
  open: (...asked) => openPage(browser, mesh, ...asked),
});
