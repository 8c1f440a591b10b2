/** How much of a fault's time is left; null: it has no end of its own. */
export interface Fuse {
  leftMs: number;
  /** 0..1 of its whole time. */
  leftShare: number;
}

/** All in Unix milliseconds, by the server's clock. Without a known start the ring is full until it is over. */
export function fuseAt(fault: { startedAt: number | null; endsAt: number | null }, now: number): Fuse | null {
  if (fault.endsAt === null) return null;
  const leftMs = Math.max(0, fault.endsAt - now);
  const whole = fault.endsAt - (fault.startedAt ?? now);
  return { leftMs, leftShare: whole > 0 ? Math.min(1, leftMs / whole) : 0 };
}

/** What the server's clock says, from what it said when the answer was read. */
export const serverNow = (saidMs: number, readAtMs: number, localNowMs: number): number =>
  readAtMs > 0 ? saidMs + Math.max(0, localNowMs - readAtMs) : saidMs;
