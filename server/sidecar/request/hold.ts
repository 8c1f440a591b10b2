/**
 * A request that waits for its filter. It ends once: the filter lets it go on, the filter answers, or the request is over for another reason (a timeout, a client
 * that left). Whatever it was, `close` is called exactly once, and a `resume` that comes later does nothing.
 */
export class Hold {
  private readonly goOn: () => void;
  private readonly close: () => void;
  private open = true;

  /** @param close undoes what the filter has begun, such as its timer */
  constructor(goOn: () => void, close: () => void) {
    this.goOn = goOn;
    this.close = close;
  }

  /** The request goes on with the next filter. */
  resume(): void {
    if (this.release()) this.goOn();
  }

  /** @returns whether it was still held */
  release(): boolean {
    if (!this.open) return false;
    this.open = false;
    this.close();
    return true;
  }
}
