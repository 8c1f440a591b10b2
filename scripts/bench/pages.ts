import { once } from "node:events";
import { get } from "node:http";
import type { Browser, CDPSession, Page } from "playwright-core";
import { launchChromium } from "../../e2e/chromium.ts";
import { eventually, startMesh, type TestMesh } from "../../e2e/mesh.ts";
import { pages } from "../../e2e/pages.ts";
import { sessionCookie } from "../../e2e/session.ts";
import { findBrowser } from "../browser.ts";
import { quantile, wait } from "./process-usage.ts";

/** Visits of each page; ROUNDS=1 for a quick look. */
const rounds = Number(process.env.ROUNDS ?? 3);
/** How long the topology is watched, and after how long. */
const [settleMs, watchedMs] = [5000, 20_000];
const aborts = 3;

/** What issue 14 asks for; each figure is printed with its bar and whether it keeps to it. */
const bars = { sharedKb: 250, routeKb: 150, lcpMs: 1200, cls: 0.02, mainThread: 25, redMs: 5000 };

/** One of each page, without the ones that only open something on it. */
const visited = pages.filter(({ name }) => !["topology-list", "topology-selected", "service-canary"].includes(name));

/**
 * What a visit of each page costs on the demo, in headless Chromium without a GPU and without a cache: JavaScript as it comes over the wire,
 * largest paint and layout shift; the main thread while the topology is open; and how soon a fault is red.
 */
export async function benchPages(): Promise<void> {
  const executable = findBrowser();
  if (!executable) throw new Error("no Chromium; install one, or set LIMPID_BROWSER");
  const mesh = await startMesh();
  const browser = await launchChromium(executable);
  try {
    await eventually(async () => (await graphOf(mesh)).edges.length >= 7, 60_000, "traffic of every service");
    await reportScripts(mesh);
    await reportVisits(browser, mesh);
    await reportTopology(browser, mesh);
    await reportAborts(browser, mesh);
    report("bars that are not kept", over.length === 0 ? "none" : over.join("; "));
  } finally {
    await browser.close();
    mesh.process.kill("SIGINT");
    await once(mesh.process, "exit").catch(() => {});
    await mesh.stop();
  }
}

const over: string[] = [];

const report = (what: string, figure: string): void => void process.stdout.write(`${what}: ${figure}\n`);

/** A figure with its bar, and a word on whether it keeps to it. */
function judged(what: string, value: number, bar: number, unit: string, digits = 0): string {
  const text = `${value.toFixed(digits)} ${unit}`.trim();
  if (value <= bar) return `${text} (bar ${bar}: ok)`;
  over.push(`${what} ${text}, bar ${bar}`);
  return `${text} (bar ${bar}: OVER)`;
}

/** What each page's own document names, packed as a browser gets it; so it is the same on a busy machine. Asked for by somebody who has signed in. */
async function reportScripts(mesh: TestMesh): Promise<void> {
  const sizes = new Map<string, Promise<number>>();
  const packed = (path: string): Promise<number> => {
    const known = sizes.get(path) ?? bytesOf(mesh.dashboard + path);
    sizes.set(path, known);
    return known;
  };
  const named = new Map<string, Set<string>>();
  const session = await sessionCookie(mesh);
  const headers = { cookie: `${session.name}=${session.value}` };
  for (const { name, path } of visited) {
    const answer = await fetch(mesh.dashboard + path, { headers });
    if (!answer.ok || answer.url.includes("/sign-in")) throw new Error(`${path}: ${answer.status} at ${answer.url}`);
    const html = await answer.text();
    // Browsers that know modules, which is all of them, leave the others alone.
    const tags = [...html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag).filter((tag) => !tag.includes("noModule"));
    named.set(name, new Set(tags.flatMap((tag) => / src="([^"]+\.js[^"]*)"/.exec(tag)?.[1] ?? [])));
  }
  const [first = new Set<string>()] = named.values();
  const shared = [...first].filter((path) => [...named.values()].every((one) => one.has(path)));
  const sum = async (paths: Iterable<string>) =>
    (await Promise.all([...paths].map(packed))).reduce((total, bytes) => total + bytes, 0) / 1024;
  report("JavaScript of every page, packed", judged("shared JavaScript", await sum(shared), bars.sharedKb, "KB"));
  for (const [name, paths] of named) {
    const own = await sum([...paths].filter((path) => !shared.includes(path)));
    report(`${name}: of its own`, judged(`${name}: JavaScript`, own, bars.routeKb, "KB"));
  }
}

/** As it comes over the wire. */
function bytesOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": "gzip" } }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once("end", () => resolve(bytes));
      response.once("error", reject);
    }).once("error", reject);
  });
}

interface Visit {
  lcpMs: number;
  cls: number;
  scriptKb: number;
}

async function reportVisits(browser: Browser, mesh: TestMesh): Promise<void> {
  process.stdout.write(
    "page: LCP, median and worst; CLS, worst; scripts of the whole visit, what is loaded after the first paint included\n",
  );
  for (const page of visited) {
    const list: Visit[] = [];
    for (let round = 0; round < rounds; round++) list.push(await visit(browser, mesh, page));
    const lcp = list.map(({ lcpMs }) => lcpMs);
    const cls = Math.max(...list.map((one) => one.cls));
    const scripts = Math.max(...list.map(({ scriptKb }) => scriptKb));
    const median = judged(`${page.name}: LCP`, quantile(lcp, 0.5), bars.lcpMs, "ms");
    const shift = judged(`${page.name}: CLS`, cls, bars.cls, "", 3);
    report(page.name, `${median}, ${Math.max(...lcp).toFixed(0)} ms; ${shift}; ${scripts.toFixed(0)} KB`);
  }
}

async function visit(browser: Browser, mesh: TestMesh, { path, ready }: (typeof visited)[number]): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: mesh.dashboard,
    viewport: { width: 1440, height: 900 },
    locale: "en",
  });
  try {
    await context.addCookies([{ name: "tour", value: "seen", url: mesh.dashboard }, await sessionCookie(mesh)]);
    const page = await context.newPage();
    const scripts = await countScripts(page);
    await page.addInitScript(observe);
    await page.goto(path);
    await page.locator(ready).first().waitFor({ state: "attached", timeout: 60_000 });
    await page.waitForLoadState("networkidle", { timeout: 3000 }).catch(() => {}); // live pages never rest
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: Omit<Visit, "scriptKb"> }).seen);
    return { ...seen, scriptKb: scripts() / 1024 };
  } finally {
    await context.close();
  }
}

/** Bytes of scripts so far, as they came over the wire. */
async function countScripts(page: Page): Promise<() => number> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  const scripts = new Set<string>();
  let bytes = 0;
  cdp.on("Network.requestWillBeSent", ({ requestId, type }) => void (type === "Script" && scripts.add(requestId)));
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) bytes += encodedDataLength;
  });
  return () => bytes;
}

/** In the page, before anything of it. */
function observe(): void {
  const seen = { lcpMs: 0, cls: 0 };
  Object.assign(globalThis, { seen });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.lcpMs = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
      if (!entry.hadRecentInput) seen.cls += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}

/** The renderer's main thread, by its own processor time: what else the machine does is not in it. */
async function reportTopology(browser: Browser, mesh: TestMesh): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addCookies([await sessionCookie(mesh)]);
  const page = await context.newPage();
  await page.goto(`${mesh.dashboard}/topology`);
  await page.locator('[data-node="default/ratings/v1"]').waitFor({ state: "attached" });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  await wait(settleMs);
  const [before, started] = [await taskSeconds(cdp), performance.now()];
  await wait(watchedMs);
  const share = (await taskSeconds(cdp)) - before;
  const seconds = (performance.now() - started) / 1000;
  report(
    `topology open for ${seconds.toFixed(0)} s: main thread`,
    judged("main thread of the topology", (share / seconds) * 100, bars.mainThread, "% of a core"),
  );
  await page.close();
}

async function taskSeconds(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
}

const isRed = (page: Page) =>
  page.locator('[data-edge^="default/reviews/"][data-edge*=">default/ratings/"][data-health="failing"]').first();

/** From the answer that a fault is in force to an edge that says so, on an open page with a window of a minute. */
async function reportAborts(browser: Browser, mesh: TestMesh): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addCookies([await sessionCookie(mesh)]);
  const page = await context.newPage();
  const took: number[] = [];
  for (let round = 0; round < aborts; round++) {
    await page.goto(`${mesh.dashboard}/topology?window=60&view=list`);
    await page
      .locator('[data-edge*=">default/ratings/"]:not([data-health="failing"])')
      .first()
      .waitFor({ timeout: 120_000 });
    await isRed(page).waitFor({ state: "detached", timeout: 120_000 });
    const fault = { namespace: "default", service: "ratings", header: null, durationSec: 120, delay: null };
    await send(mesh, "POST", "/api/faults", { ...fault, abort: { percentage: 50, httpStatus: 503 } });
    const started = performance.now();
    await isRed(page).waitFor({ timeout: 60_000 });
    took.push(performance.now() - started);
    const { faults } = (await (await mesh.ask("/api/faults")).json()) as { faults: { id: string }[] };
    for (const { id } of faults)
      await send(mesh, "DELETE", `/api/faults/${id.split("/").map(encodeURIComponent).join("/")}`, {});
  }
  await page.close();
  const each = took.map((ms) => (ms / 1000).toFixed(1)).join(", ");
  const worst = judged("50 % of ratings aborted → red", Math.max(...took) / 1000, bars.redMs / 1000, "s", 1);
  report("50 % of ratings aborted → a call of it is red", `${each} s; worst ${worst}`);
}

async function send(mesh: TestMesh, method: string, path: string, body: unknown): Promise<void> {
  const answer = await mesh.ask(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

const graphOf = async (mesh: TestMesh): Promise<{ edges: unknown[] }> =>
  (await (await mesh.ask("/api/graph?window=60")).json()) as { edges: unknown[] };
