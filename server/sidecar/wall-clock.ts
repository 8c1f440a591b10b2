/**
 * Wall-clock time of moments that were measured by the monotonic clock. Durations are monotonic, but what a record says of *when* must be true by the clock that
 * everybody else reads: `performance.timeOrigin + performance.now()` stands still while a machine is suspended and never hears of a step.
 */
export class WallClock {
  private readonly now: () => number;
  private readonly monotonic: () => number;
  /** Wall minus monotonic; kept while it holds, so that moments of one request keep their order below the millisecond. */
  private offset: number;

  /** @param now Unix milliseconds */
  constructor(now: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.now = now;
    this.monotonic = monotonic;
    this.offset = now() - monotonic();
  }

  /** As {@link at}, by what was known last: for what is corrected later. */
  about(monotonicMs: number): number {
    return monotonicMs + this.offset;
  }

  /** Unix milliseconds, fractional, of a moment by `performance.now()`, as the wall clock counts now. */
  at(monotonicMs: number): number {
    const offset = this.now() - this.monotonic();
    // The wall clock tells whole milliseconds, so less than two apart is the same.
    if (Math.abs(offset - this.offset) >= 2) this.offset = offset;
    return monotonicMs + this.offset;
  }
}
