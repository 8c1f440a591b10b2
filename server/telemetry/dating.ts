/** 2000-01-01: what is from before has a clock that was never set. */
const earliestMs = 946_684_800_000;
/** Clocks run apart by as much without anybody being wrong. */
const aheadMs = 1000;

/** Times that senders tell, held to the collector's own clock: one that is to come, or of a clock that was never set, is when it came. */
export class Dating {
  #misdated = 0;

  /** How many were far from what any clock says. */
  get misdated(): number {
    return this.#misdated;
  }

  /** Unix milliseconds. What runs ahead must not stay at the head of every list, and past the age at which it is forgotten. */
  of(timeMs: number, nowMs: number): number {
    if (timeMs >= earliestMs && timeMs <= nowMs) return timeMs;
    if (!(timeMs > nowMs && timeMs <= nowMs + aheadMs)) this.#misdated++;
    return nowMs;
  }
}
