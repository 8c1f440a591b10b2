/** What a probe saw: it serves; it answers that it does not serve now; it gave no answer. */
export type ProbeResult = "ready" | "unready" | "silent";

/** `hung`: it has been silent for so long that only a new start will help. */
export type Verdict = "ready" | "unready" | "unresponsive" | "hung";

export interface LivenessPolicy {
  /** Between two probes of a part that serves. */
  everyMs: number;
  /** Silent probes in a row before it is called unresponsive. */
  unresponsiveProbes: number;
  /** Silent for this long, and for this many probes in a row: hung. Generous, because a busy machine is no hung process. */
  hungMs: number;
  hungProbes: number;
  /** What a start may take until the first answer. */
  startMs: number;
}

/** With probes of five seconds, a stopped process is called unresponsive after some ten seconds and killed after some forty. */
export const defaultLiveness: LivenessPolicy = {
  everyMs: 3_000,
  unresponsiveProbes: 2,
  hungMs: 30_000,
  hungProbes: 5,
  startMs: 120_000,
};

/** Judges one process by its probes, from its start on. No timers of its own: milliseconds are given to it, of any steady clock. */
export class Liveness {
  private readonly policy: LivenessPolicy;
  private silentProbes = 0;
  private silentSince: number;
  private answered = false;

  constructor(policy: LivenessPolicy, startedMs: number) {
    this.policy = policy;
    this.silentSince = startedMs;
  }

  /**
   * `lateMs`: by how much the prober itself was late. When that is long, the whole machine stood still (it was suspended, or far too busy) and
   * the silence says nothing about the process.
   */
  record(result: ProbeResult, nowMs: number, lateMs: number): Verdict {
    if (result !== "silent") {
      this.answered = true;
      this.silentProbes = 0;
      this.silentSince = nowMs;
      return result;
    }
    const { everyMs, unresponsiveProbes, hungMs, hungProbes, startMs } = this.policy;
    if (lateMs > everyMs) {
      this.silentProbes = 0;
      this.silentSince = nowMs;
    }
    this.silentProbes++;
    const silentMs = nowMs - this.silentSince;
    if (!this.answered) return silentMs >= startMs ? "hung" : "unready";
    if (silentMs >= hungMs && this.silentProbes >= hungProbes) return "hung";
    return this.silentProbes >= unresponsiveProbes ? "unresponsive" : "ready";
  }
}
