/** Senders that are remembered; the one that was silent for longest makes room. */
const maxSenders = 20_000;

/** Whose numbered batches of access logs were taken in, and up to which, so that one that is sent again counts once. */
export class Senders {
  readonly #taken: Map<string, number>;
  #unwritten = new Map<string, number>();

  /** `written`: of the runs before. */
  constructor(written: ReadonlyMap<string, number> = new Map()) {
    this.#taken = new Map(written);
  }

  /** @returns false when it was taken before */
  take(sender: string, number: number): boolean {
    const last = this.#taken.get(sender) ?? 0;
    if (number <= last) return false;
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

  /** Up to which batch it is taken; 0: nothing is known of it. */
  last(sender: string): number {
    return this.#taken.get(sender) ?? 0;
  }

  /** Another collector has written up to this one. */
  learn(sender: string, written: number): void {
    if (written > this.last(sender)) this.#remember(sender, written);
  }

  /** What is to be written with all that was taken in until now. */
  drain(): ReadonlyMap<string, number> {
    const drained = this.#unwritten;
    this.#unwritten = new Map();
    return drained;
  }
}
