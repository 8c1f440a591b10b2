import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { launchChromium } from "../../e2e/chromium.ts";
import { askDashboard, eventually, randomOffset, runLimpid } from "../../e2e/mesh.ts";
import { sessionCookie } from "../../e2e/session.ts";
import { meshPorts } from "../../server/fleet/ports.ts";
import { openSqliteTelemetryStore } from "../../server/store/telemetry/sqlite-store.ts";
import type { TelemetryStore } from "../../server/telemetry/store.ts";
import { defaultRetention } from "../../server/wire/retention.ts";
import { findBrowser } from "../browser.ts";
import { quantile } from "./process-usage.ts";
import { rollupsOf, type SyntheticCall, syntheticMesh } from "./synthetic-mesh.ts";

const [nodes, edges] = [1000, 3000];
const rounds = 3;
const windows = [60, 300, 3600];
const polls = 10;
const panMs = 4000;
/** Where what was measured can be looked at. */
const pictures = "test-results";

/**
 * A graph of 1,000 workloads and 3,000 calls through the real telemetry store and dashboard, in headless Chromium without a GPU: how long from
 * its data to the first paint (opened by its address, and from another page), what the main thread works meanwhile, and frames per second while it
 * is panned, whole and from near.
 */
export async function benchGraph(): Promise<void> {
  const executable = findBrowser();
  if (!executable) throw new Error("no Chromium; install one, or set LIMPID_BROWSER");
  const data = mkdtempSync(join(tmpdir(), "limpid-graph-"));
  const store = await openSqliteTelemetryStore({ path: join(data, "telemetry.db") });
  const feed = await startFeed(store, syntheticMesh(nodes, edges));
  const offset = randomOffset();
  const dashboard = runLimpid(["dashboard", "--port-offset", String(offset), "--data", data]);
  dashboard.stdout?.resume();
  dashboard.stderr?.resume();
  const address = `http://127.0.0.1:${meshPorts(offset).dashboard}`;
  const browser = await launchChromium(executable);
  try {
    const served = await eventually(
      async () => {
        const started = performance.now();
        const answer = await askDashboard(address, data, "/api/graph?window=60");
        const graph = (await answer.json()) as { nodes: unknown[]; edges: unknown[] };
        return graph.edges.length >= edges && { graph, ms: performance.now() - started };
      },
      60_000,
      "the dashboard's graph",
    );
    process.stdout.write(
      `${served.graph.nodes.length} nodes, ${served.graph.edges.length} calls; /api/graph answers in ${served.ms.toFixed(0)} ms\n`,
    );
    await reportPolls(address, data);
    const opened: Opening[] = [];
    const followed: Opening[] = [];
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      await context.addCookies([await sessionCookie({ dashboard: address, data })]);
      const other = await context.newPage();
      await other.goto(`${address}/gateways`, { waitUntil: "networkidle" });
      followed.push(await openingOf(other, () => other.locator('a[href="/topology"]').first().click()));
      await other.close();
      const page = await context.newPage();
      opened.push(await openingOf(page, () => page.goto(`${address}/topology`)));
      if (round === rounds - 1) {
        await page.screenshot({ path: join(pictures, "graph-whole.png") });
        report("panned whole", await panned(page));
        for (let step = 0; step < 8; step++) await page.getByRole("button", { name: "Zoom in" }).click();
        report("panned from near", await panned(page));
        await page.screenshot({ path: join(pictures, "graph-near.png") });
      }
      await context.close();
    }
    reportOpening("opened by its address", opened);
    reportOpening("from another page", followed);
  } finally {
    await browser.close();
    dashboard.kill("SIGINT");
    await once(dashboard, "exit");
    await feed.stop();
    await store.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Each window as an open page asks for it, once a second; taken in turns. */
async function reportPolls(address: string, data: string): Promise<void> {
  const took = windows.map((): number[] => []);
  for (let poll = 0; poll < polls; poll++) {
    const second = delay(1000);
    for (const [i, window] of windows.entries()) {
      const started = performance.now();
      await (await askDashboard(address, data, `/api/graph?window=${window}`)).arrayBuffer();
      took[i]?.push(performance.now() - started);
    }
    await second;
  }
  for (const [i, window] of windows.entries()) {
    const [first = 0, ...rest] = took[i] ?? [];
    process.stdout.write(
      `/api/graph?window=${window}: first ${first.toFixed(0)} ms, then median ${quantile(rest, 0.5).toFixed(0)} ms, slowest ${Math.max(...rest).toFixed(0)} ms\n`,
    );
  }
}

/** How long ago history begins, and how much of it is written: buckets of a minute and of ten seconds are as full as if it were all of it. */
const historySec = 4000;
const history = [
  { agoSec: historySec, everySec: 60 },
  { agoSec: 960, everySec: 10 },
  { agoSec: 120, everySec: 1 },
];
const settledAfterSec = 21;

/** Something more than an hour of history; then each second as it ends, as a collector writes it. */
async function startFeed(store: TelemetryStore, calls: readonly SyntheticCall[]): Promise<{ stop(): Promise<void> }> {
  const current = () => Math.floor(Date.now() / 1000) - 1;
  const began = current();
  const everySec = (second: number) => history.findLast(({ agoSec }) => second >= began - agoSec)?.everySec ?? 60;
  let next = Math.floor((began - historySec) / 60) * 60;
  let compacted = next;
  const writeUntil = async (end: number) => {
    for (; next < end; next += everySec(next)) {
      const [nowMs, settledUntilMs] = [(next + 1) * 1000, (next - settledAfterSec) * 1000];
      const collector = {
        id: "bench",
        startedAtMs: 0,
        flushedAtMs: Date.now(),
        completeUntilMs: nowMs,
        settledUntilMs,
      };
      await store.write({
        id: next,
        collector: { ...collector, freshAtMs: nowMs, active: true },
        rollups: rollupsOf(calls, next),
        samples: [],
        spans: [],
        logs: [],
        metrics: [],
        metricStates: [],
        senders: new Map(),
        claims: new Map(),
      });
      if (next - compacted < 30) continue;
      compacted = next;
      while ((await store.compact({ nowMs, settledUntilMs, retention: defaultRetention })).more);
    }
  };
  await writeUntil(current());
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(() => writeUntil(current()));
  }, 1000);
  return {
    async stop() {
      clearInterval(timer);
      await writing;
    },
  };
}

/** Milliseconds. */
interface Opening {
  /** From the beginning of the page, or of the click, until the last of the graph's data had come. */
  data: number;
  painted: number;
  /** What the page's main thread worked in all, which is the same on a busy machine. */
  worked: number;
}

async function openingOf(page: Page, open: () => Promise<unknown>): Promise<Opening> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1000;
  };
  const before = await worked();
  const began = await page.evaluate(() => performance.now());
  const origin = await page.evaluate(() => performance.timeOrigin);
  await open();
  await page.waitForFunction(() => performance.getEntriesByName("graph-painted").length > 0, undefined, {
    timeout: 60_000,
  });
  const spent = (await worked()) - before;
  const seen = await page.evaluate(() => {
    const [document] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    // The page itself brings the graph's data; one that was there already asks for the page's part.
    const part = (performance.getEntriesByType("resource") as PerformanceResourceTiming[]).findLast(({ name }) =>
      /\/topology\?.*_rsc=|\/topology\?_rsc/.test(name),
    );
    return {
      origin: performance.timeOrigin,
      data: part?.responseEnd ?? document?.responseEnd ?? 0,
      painted: performance.getEntriesByName("graph-painted")[0]?.startTime ?? 0,
    };
  });
  const from = seen.origin === origin ? began : 0;
  return { data: seen.data - from, painted: seen.painted - from, worked: spent };
}

function reportOpening(name: string, openings: readonly Opening[]): void {
  const median = (of: (opening: Opening) => number) => quantile(openings.map(of), 0.5).toFixed(0);
  const slowest = Math.max(...openings.map(({ data, painted }) => painted - data));
  process.stdout.write(
    `${name}: data after ${median(({ data }) => data)} ms; data → painted median ${median(({ data, painted }) => painted - data)} ms, slowest ${slowest.toFixed(0)} ms of ${openings.length}; main thread ${median(({ worked }) => worked)} ms\n`,
  );
}

interface Frames {
  perSecond: number;
  slowestMs: number;
}

/** Drags the empty canvas to and fro, and counts the page's frames meanwhile. */
async function panned(page: Page): Promise<Frames> {
  const counting = page.evaluate(
    (forMs) =>
      new Promise<{ perSecond: number; slowestMs: number }>((done) => {
        const started = performance.now();
        let [frames, last, slowestMs] = [0, started, 0];
        const count = (now: number) => {
          frames += 1;
          slowestMs = Math.max(slowestMs, now - last);
          last = now;
          if (now - started < forMs) requestAnimationFrame(count);
          else done({ perSecond: (frames * 1000) / (now - started), slowestMs });
        };
        requestAnimationFrame(count);
      }),
    panMs,
  );
  const started = performance.now();
  await page.mouse.move(720, 110);
  await page.mouse.down();
  for (let step = 0; performance.now() - started < panMs; step++) {
    await page.mouse.move(720 + 200 * Math.sin(step / 20), 300 + 160 * Math.cos(step / 31));
  }
  await page.mouse.up();
  return counting;
}

const report = (name: string, { perSecond, slowestMs }: Frames): void => {
  process.stdout.write(`${name}: ${perSecond.toFixed(0)} frames/s, slowest frame ${slowestMs.toFixed(0)} ms\n`);
};
