// `npm run screenshots [-- <folder>]`: starts a mesh and takes a picture of every page, dark and light, on a desk and on a phone.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { launchChromium } from "../e2e/chromium.ts";
import { eventually, startMesh, type TestMesh } from "../e2e/mesh.ts";
import { pages } from "../e2e/pages.ts";
import { sessionCookie } from "../e2e/session.ts";
import { findBrowser } from "./browser.ts";

const folder = resolve(process.argv[2] ?? "test-results/screenshots");
const executable = findBrowser();
if (!executable) {
  process.stderr.write("screenshots: no Chromium; install one, or set LIMPID_BROWSER\n");
  process.exit(1);
}
mkdirSync(folder, { recursive: true });

const devices = {
  desk: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const;

const mesh = await startMesh();
const browser = await launchChromium(executable);
try {
  await tellAStory(mesh);
  for (const device of ["desk", "phone"] as const)
    for (const colorScheme of ["dark", "light"] as const) await takeAll(browser, device, colorScheme);
  await takeReadmePicture(browser);
} finally {
  await browser.close();
  await mesh.stop();
}

/** A mesh at work for a minute, with a canary under way and a fault burning, so that each page has something to show. */
async function tellAStory(mesh: TestMesh): Promise<void> {
  const { createConfigApiClient } = await import("../server/config/api-client.ts");
  const api = createConfigApiClient(mesh.configApi, 20_000);
  const { virtualService } = await api.routing({ namespace: "default", name: "reviews" });
  const weights = {
    rule: 0,
    weights: { v1: 70, v2: 20, v3: 10 },
    resourceVersion: virtualService?.resourceVersion ?? null,
  };
  await api.setWeights({ namespace: "default", name: "reviews" }, weights, { user: "ana" });
  const fault = { namespace: "default", service: "ratings", header: null, durationSec: 900 };
  await api.injectFault(
    { ...fault, delay: { percentage: 10, fixedDelayMs: 300 }, abort: { percentage: 5, httpStatus: 503 } },
    { user: "ana" },
  );
  const started = Date.now();
  await eventually(
    async () => {
      const graph = (await (await mesh.ask("/api/graph?window=60")).json()) as { nodes: unknown[] };
      return graph.nodes.length >= 7 && Date.now() - started > 60_000;
    },
    120_000,
    "a minute of traffic",
  );
}

async function takeAll(browser: Browser, device: keyof typeof devices, colorScheme: "dark" | "light"): Promise<void> {
  const context = await browser.newContext({ ...devices[device], colorScheme, baseURL: mesh.dashboard, locale: "en" });
  await context.addCookies([await sessionCookie(mesh)]);
  const page = await context.newPage();
  for (const { name, path, ready } of pages) {
    await page.goto(path);
    await page.locator(ready).first().waitFor({ state: "attached" });
    await page.waitForLoadState("networkidle", { timeout: 3000 }).catch(() => {}); // live pages never rest
    await page.screenshot({ path: join(folder, `${name}-${device}-${colorScheme}.png`) });
  }
  await context.close();
  process.stderr.write(`${device}, ${colorScheme}: ${pages.length} pages\n`);
}

/** docs/images/topology.png: what a newcomer sees first. */
async function takeReadmePicture(browser: Browser): Promise<void> {
  const context = await browser.newContext({
    ...devices.desk,
    colorScheme: "dark",
    baseURL: mesh.dashboard,
    locale: "en",
  });
  await context.addCookies([await sessionCookie(mesh)]);
  const page = await context.newPage();
  await page.goto("/topology?select=default%2Freviews");
  await page.locator('[data-node="default/ratings/v1"]').waitFor({ state: "attached" });
  await page.waitForLoadState("networkidle", { timeout: 5000 }).catch(() => {});
  await page.screenshot({ path: join(folder, "topology.png") });
  await context.close();
}
