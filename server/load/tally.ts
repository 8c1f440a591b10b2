import type { LoadLatency, LoadOutcome, LoadSecond } from "../contract/load-tests.ts";
import { LatencySketch } from "../lib/latency-sketch.ts";

/** One request that is over. Times in milliseconds, `dueAt` and `sentAt` from the beginning of the run; `sentAt` undefined: it never was. */
export interface Ended {
  dueAt: number;
  sentAt: number | undefined;
  endedAt: number;
  /** Which of the plan's requests it is of. */
  request: number;
  /** Of the answer, or why there was none. */
  result: { status: number; ok: boolean; bytes: number } | { failure: string };
}

/** Reasons come from the operating system and are few; past this they count as `other`. */
const maxReasons = 32;

interface Second {
  due: number;
  ok: number;
  failed: number;
  latency: LatencySketch;
}

/** What became of one of several requests. */
interface Part {
  due: number;
  answered: number;
  ok: number;
  latency: LatencySketch;
}

/** Counts a run, second by second. */
export class Tally {
  readonly #warmUpMs: number;
  readonly #requests: Part[];
  readonly #seconds: Second[] = [];
  readonly #latency = new Spread();
  readonly #serviceTime = new Spread();
  readonly #lag = new LatencySketch();
  readonly #statuses: Record<string, number> = {};
  readonly #failures: Record<string, number> = {};
  #due = 0;
  #sent = 0;
  #answered = 0;
  #ok = 0;
  #bytes = 0;

  /** `requests`: how many a plan has. */
  constructor(warmUpMs: number, requests = 1) {
    this.#warmUpMs = warmUpMs;
    this.#requests = Array.from({ length: requests }, () => ({
      due: 0,
      answered: 0,
      ok: 0,
      latency: new LatencySketch(),
    }));
  }

  /** A request is due, of the plan's the `request`th; the generator comes to it `lagMs` late. */
  due(dueAt: number, lagMs: number, request = 0): void {
    this.#second(dueAt).due += 1;
    this.#lag.add(lagMs);
    if (dueAt < this.#warmUpMs) return;
    this.#due += 1;
    const part = this.#requests[request];
    if (part) part.due += 1;
  }

  ended({ dueAt, sentAt, endedAt, request, result }: Ended): void {
    const second = this.#second(dueAt);
    const isOk = "ok" in result && result.ok;
    if (isOk) second.ok += 1;
    else second.failed += 1;
    if ("status" in result) second.latency.add(endedAt - dueAt);
    if (dueAt < this.#warmUpMs) return;
    if (sentAt !== undefined) this.#sent += 1;
    if ("failure" in result) {
      count(this.#failures, result.failure);
      return;
    }
    this.#answered += 1;
    if (isOk) this.#ok += 1;
    this.#bytes += result.bytes;
    count(this.#statuses, String(result.status));
    this.#latency.add(endedAt - dueAt);
    this.#serviceTime.add(endedAt - (sentAt ?? dueAt));
    const part = this.#requests[request];
    if (!part) return;
    part.answered += 1;
    if (isOk) part.ok += 1;
    part.latency.add(endedAt - dueAt);
  }

  /** `countedSec`: over how many seconds the requests that count were due, so far. */
  outcome(countedSec: number): LoadOutcome {
    return {
      due: this.#due,
      sent: this.#sent,
      answered: this.#answered,
      ok: this.#ok,
      statuses: { ...this.#statuses },
      failures: { ...this.#failures },
      bytes: this.#bytes,
      answeredPerSec: countedSec > 0 ? this.#answered / countedSec : 0,
      latency: this.#latency.read(),
      serviceTime: this.#serviceTime.read(),
      generatorLagMs: this.#lag.quantile(0.99) ?? 0,
      seconds: this.#seconds.map(toSecond),
      requests: this.#requests.length > 1 ? this.#requests.map(toRequest) : [],
    };
  }

  #second(dueAt: number): Second {
    const index = Math.floor(dueAt / 1000);
    // Seconds in which nothing was due, at low rates.
    while (this.#seconds.length <= index)
      this.#seconds.push({ due: 0, ok: 0, failed: 0, latency: new LatencySketch() });
    return this.#seconds[index] as Second;
  }
}

const toRequest = ({ due, answered, ok, latency }: Part): LoadOutcome["requests"][number] => ({
  ...{ due, answered, ok, p50: latency.quantile(0.5) ?? null, p99: latency.quantile(0.99) ?? null },
});

const toSecond = ({ due, ok, failed, latency }: Second, at: number): LoadSecond => ({
  at,
  due,
  ok,
  failed,
  p50: latency.quantile(0.5) ?? null,
  p99: latency.quantile(0.99) ?? null,
});

class Spread {
  readonly #sketch = new LatencySketch();
  #max: number | null = null;

  add(ms: number): void {
    this.#sketch.add(ms);
    this.#max = Math.max(this.#max ?? 0, ms);
  }

  read(): LoadLatency {
    const max = this.#max ?? 0;
    // A sketch is right to one percent, upwards, too: nothing is slower than the slowest.
    const at = (q: number): number | null => {
      const value = this.#sketch.quantile(q);
      return value === undefined ? null : Math.min(value, max);
    };
    return { p50: at(0.5), p75: at(0.75), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999), max: this.#max };
  }
}

function count(counts: Record<string, number>, key: string): void {
  const known = key in counts || Object.keys(counts).length < maxReasons ? key : "other";
  counts[known] = (counts[known] ?? 0) + 1;
}
