import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page, Response } from "playwright-core";
import { onTestFinished, type TestContext } from "vitest";
import { launchChromium } from "./chromium.ts";
import { root, type TestMesh } from "./mesh.ts";
import { sessionCookie } from "./session.ts";
import { browser as installed } from "./tools.ts";

/** Where a failed test leaves a picture of each page it had open, and what the page had said. */
const results = join(root, "test-results");

/** On a busy machine with two cores a page may take its time; a condition that never holds still ends. */
export const patience = 30_000;

/** A page of a fresh profile loads all there is, and has to read it. */
const opening = { timeout: 3 * patience };

export const launchBrowser = (): Promise<Browser> => launchChromium(installed.path);

export interface OpenPage {
  page: Page;
  /** Console errors, uncaught exceptions and refused policies so far. */
  problems: string[];
}

export interface OpenOptions extends BrowserContextOptions {
  /** By default somebody has. */
  signedIn?: boolean;
  /** Of the test that opens it, where several run at a time. */
  onTestFinished?: TestContext["onTestFinished"];
}

/** A page of the mesh's dashboard in a fresh profile, closed at the end of the test that opens it. */
export async function openPage(
  browser: Browser,
  mesh: TestMesh,
  path: string,
  { signedIn = true, onTestFinished: atTheEnd = onTestFinished, ...options }: OpenOptions = {},
  timeoutMs = patience,
): Promise<OpenPage> {
  const context = await browser.newContext({
    baseURL: mesh.dashboard,
    viewport: { width: 1440, height: 900 },
    locale: "en",
    ...options,
  });
  context.setDefaultTimeout(timeoutMs);
  if (signedIn) await context.addCookies([await sessionCookie(mesh)]);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  atTheEnd(async ({ task }) => {
    if (task.result?.state === "fail") await keep(page, task.name, problems);
    await context.close();
  });
  await visit(page, path);
  return { page, problems };
}

/** Goes to a page and waits until a person could use it. */
export async function visit(page: Page, path: string): Promise<Response | null> {
  const response = await page.goto(path, opening);
  await usable(page);
  return response;
}

/** The same page once more, from the server. */
export async function reload(page: Page): Promise<void> {
  await page.reload(opening);
  await usable(page);
}

/**
 * Every part that was streamed stands in its place (until then React keeps such a part hidden at the end of the document, beside the fallback
 * it will replace, so that the navigation, for one, is there twice), and React has taken the controls over: a press before that does nothing.
 */
async function usable(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      if (document.querySelector('[hidden][id^="S:"]') !== null) return false;
      const controls = document.querySelectorAll("button, input, select, textarea");
      return [...controls].every(
        (control) =>
          control.closest('[aria-hidden="true"]') !== null ||
          Object.keys(control).some((key) => key.startsWith("__reactProps$")),
      );
    },
    undefined,
    opening,
  );
  // The mark is there before what React has drawn is in force; a frame or two later it is. A page that leads elsewhere at once has none.
  await page
    .evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))))
    .catch(() => undefined);
}

/** Keeps all further scripts of a page away until the returned function is called. */
export async function holdScripts(page: Page): Promise<() => void> {
  const arrival = Promise.withResolvers<void>();
  await page.route("**/_next/static/**/*.js", async (route) => {
    await arrival.promise;
    await route.continue();
  });
  return arrival.resolve;
}

async function keep(page: Page, test: string, problems: readonly string[]): Promise<void> {
  mkdirSync(results, { recursive: true });
  const name = `${test.replaceAll(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80)}-${Date.now()}`;
  await page.screenshot({ path: join(results, `${name}.png`) }).catch(() => {});
  writeFileSync(join(results, `${name}.txt`), [page.url(), ...problems, ""].join("\n"));
}
