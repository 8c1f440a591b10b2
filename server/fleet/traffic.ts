import { Agent, request } from "node:http";

/**
 * Open-loop traffic at the ingress gateway: arrivals are a Poisson process at a settable rate and do not wait for answers, so that a
 * slow mesh shows as latency and not as less traffic. Bounded: past `maxInFlight` unanswered requests, arrivals are counted and dropped.
 */
export interface TrafficGenerator {
  setRate(requestsPerSecond: number): void;
  stats(): TrafficStats;
  stop(): Promise<void>;
}

export interface TrafficStats {
  rate: number;
  sent: number;
  ok: number;
  /** Answered with 5xx. */
  serverErrors: number;
  /** Not answered: refused, reset, timed out. */
  failed: number;
  dropped: number;
  inFlight: number;
}

export const maxTrafficRate = 2000;
const maxInFlight = 512;
const timeoutMs = 15_000;

/** What visitors do: mostly the page, some API calls, one in ten signed in as jason, who is Bookinfo's canary user. */
const visits: readonly { share: number; path: string; cookie?: string }[] = [
  { share: 0.72, path: "/productpage" },
  { share: 0.1, path: "/productpage", cookie: "user=jason" },
  { share: 0.1, path: "/api/v1/products/0/reviews" },
  { share: 0.05, path: "/api/v1/products/0" },
  { share: 0.03, path: "/api/v1/products/0/ratings" },
];

export function startTraffic(
  target: { host: string; port: number },
  rate: number,
  random = Math.random,
): TrafficGenerator {
  const agent = new Agent({ keepAlive: true, maxSockets: maxInFlight, maxFreeSockets: 16 });
  const stats: TrafficStats = { rate, sent: 0, ok: 0, serverErrors: 0, failed: 0, dropped: 0, inFlight: 0 };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let dueAt = performance.now();
  let drained: (() => void) | undefined;
  schedule();

  /** Timers are whole milliseconds: keeping the due time apart from them keeps the rate exact. */
  function schedule(): void {
    clearTimeout(timer);
    if (stopped || stats.rate <= 0) return;
    dueAt += (-Math.log(1 - random()) * 1000) / stats.rate;
    timer = setTimeout(arrive, Math.max(1, dueAt - performance.now()));
  }

  function arrive(): void {
    visit();
    // After a pause of the whole process (a suspended laptop), arrivals go on from now and are not made up for.
    if (performance.now() - dueAt > 1000) dueAt = performance.now();
    schedule();
  }

  function visit(): void {
    if (stats.inFlight >= maxInFlight) {
      stats.dropped++;
      return;
    }
    const { path, cookie } = pick(random());
    const headers: Record<string, string> = {
      host: "bookinfo.local",
      "user-agent": "limpid-traffic/1",
      ...(cookie && { cookie }),
    };
    stats.sent++;
    stats.inFlight++;
    const req = request({ ...target, path, headers, agent, timeout: timeoutMs }, (res) => {
      if ((res.statusCode ?? 0) >= 500) stats.serverErrors++;
      else stats.ok++;
      res.resume();
    });
    req.on("timeout", () => req.destroy());
    req.on("error", () => stats.failed++);
    req.on("close", () => {
      stats.inFlight--;
      if (stats.inFlight === 0) drained?.();
    });
    req.end();
  }

  return {
    setRate(requestsPerSecond) {
      stats.rate = requestsPerSecond;
      dueAt = performance.now();
      schedule();
    },
    stats: () => ({ ...stats }),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      if (stats.inFlight > 0) {
        await Promise.race([
          new Promise<void>((resolve) => {
            drained = resolve;
          }),
          new Promise<void>((resolve) => setTimeout(resolve, 500).unref()),
        ]);
      }
      agent.destroy();
    },
  };
}

/** Reads a traffic rate; throws with what would be right. */
export function parseTrafficRate(value: string): number {
  const rate = Number(value);
  if (value.trim() === "" || !Number.isFinite(rate) || rate < 0 || rate > maxTrafficRate) {
    throw new Error(
      `traffic rate ${JSON.stringify(value)}: must be a number of requests per second from 0 to ${maxTrafficRate}`,
    );
  }
  return rate;
}

function pick(roll: number): (typeof visits)[number] {
  let sum = 0;
  for (const visit of visits) {
    sum += visit.share;
    if (roll < sum) return visit;
  }
  return visits[0] as (typeof visits)[number];
}
