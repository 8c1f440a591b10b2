import type { Clock } from "../../lib/clock.ts";

/** When a workload is probed, and what it takes to change one's mind. */
export interface ProbeSchedule {
  initialDelayMs: number;
  periodMs: number;
  /** Probes in a row. */
  successThreshold: number;
  failureThreshold: number;
}

export interface ReadinessProbeOptions {
  clock: Clock;
  schedule: ProbeSchedule;
  /** Asks once: what is wrong, or undefined. Never rejects. */
  ask(): Promise<string | undefined>;
  /** Told when the workload becomes well, or not; not of each probe. */
  onChange(problem: string | undefined): void;
}

/**
 * Probes the workload beside which a proxy runs, as a WorkloadGroup says. Until so many probes in a row have said the same nothing is said.
 * https://istio.io/latest/docs/reference/config/networking/workload-group/#ReadinessProbe
 */
export class ReadinessProbe {
  readonly #options: ReadinessProbeOptions;
  #timer: { cancel(): void } | undefined;
  #stopped = false;
  #healthy: boolean | undefined;
  /** Probes in a row that found what the last one found. */
  #streak = { healthy: false, count: 0 };

  constructor(options: ReadinessProbeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(this.#options.schedule.initialDelayMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #later(ms: number): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#probe(), ms);
  }

  async #probe(): Promise<void> {
    const problem = await this.#options.ask();
    if (this.#stopped) return;
    const { schedule, onChange } = this.#options;
    const healthy = problem === undefined;
    this.#streak = { healthy, count: this.#streak.healthy === healthy ? this.#streak.count + 1 : 1 };
    const needed = healthy ? schedule.successThreshold : schedule.failureThreshold;
    if (this.#healthy !== healthy && this.#streak.count >= needed) {
      this.#healthy = healthy;
      onChange(problem);
    }
    this.#later(schedule.periodMs);
  }
}
