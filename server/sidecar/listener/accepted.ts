/** Whatever a listener accepted: an HTTP or TCP connection, or one of which it is not known yet. */
export interface Accepted {
  /** Monotonic ms of the last request begun; 0 where there are none. */
  readonly requestedAt: number;
  /** From now on answers say that they are the last. */
  drain(): void;
  /** Closes if nothing is under way. */
  closeIdle(): void;
  destroy(): void;
}
