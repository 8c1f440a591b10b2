// Twenty who look at one address, in a process of their own, so that nothing but the answers keeps them waiting: `telemetry-clients.ts <url>`; tells their
// times in milliseconds, and the bytes of an answer.
import { wait } from "./process-usage.ts";

export interface ClientTimes {
  times: number[];
  bytes: number;
}

const clients = 20;
/** Between an answer and the next question, as a page has it. */
const pauseMs = 2000;
const warmMs = 10_000;
const runMs = 40_000;

const [url = ""] = process.argv.slice(2);
const began = performance.now();
const told: ClientTimes = { times: [], bytes: 0 };

async function look(): Promise<void> {
  while (performance.now() < began + runMs) {
    const started = performance.now();
    const answer = await fetch(url);
    told.bytes = Number(answer.headers.get("content-length"));
    await answer.arrayBuffer();
    if (started > began + warmMs) told.times.push(performance.now() - started);
    await wait(pauseMs);
  }
}

await Promise.all(Array.from({ length: clients }, (_, i) => wait((i * pauseMs) / clients).then(look)));
process.send?.(told);
process.once("disconnect", () => process.exit());
