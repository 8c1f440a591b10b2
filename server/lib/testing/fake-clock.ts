import type { Clock } from "../clock.ts";

/** Time that moves only when told. */
export class FakeClock implements Clock {
  time = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  now = (): number => this.time;

  setTimeout(callback: () => void, ms: number): { cancel(): void } {
    const timer = { at: this.time + ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = end;
  }

  #next(end: number) {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
