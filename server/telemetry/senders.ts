/** Senders that are remembered; the one that was silent for longest makes room. */
const maxSenders = 20_000;

/** Whose numbered batches of access logs were taken in, and up to which, so that one that is sent again counts once. */
export class Senders {
  readonly #taken: Map<string, number>;
  #unwritten = new Map<string, number>();

  readonly #inOrder: boolean;

  /** `written`: of the runs before. `inOrder`: no number is passed over, as a stream that is over may still deliver its last ones beside the next. */
  constructor(written: ReadonlyMap<string, number> = new Map(), inOrder = false) {
    this.#taken = new Map(written);
    this.#inOrder = inOrder;
  }

  /** @returns false when it was taken before, or is not to be taken yet */
  take(sender: string, number: number): boolean {
    const last = this.#taken.get(sender) ?? 0;
    if (this.#inOrder ? number !== last + 1 : number <= last) return false;
    this.#remember(sender, number);
    this.#unwritten.set(sender, number);
    return true;
  }

  #remember(sender: string, number: number): void {
    this.#taken.delete(sender);
    this.#taken.set(sender, number);
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > maxSenders && oldest !== undefined) this.#taken.delete(oldest);
  }

  /** It is written up to here, and what was taken in and is not written is given up. */
  reset(sender: string, written: number): void {
    this.#remember(sender, written);
    this.#unwritten.delete(sender);
  }

  /** What is to be written with all that was taken in until now. */
  drain(): ReadonlyMap<string, number> {
    const drained = this.#unwritten;
    this.#unwritten = new Map();
    return drained;
  }
}
