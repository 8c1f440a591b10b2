/**
 * Work of many streams, one piece after the other, in slices between which sockets and timers get their turn: two hundred proxies that connect at
 * once must not keep the one who changes a rule waiting. While there is nothing else to do, work is done at once.
 */
export class Turns {
  readonly #sliceMs: number;
  readonly #queue: (() => void)[] = [];
  #next = 0;
  #armed = false;
  #spentMs = 0;

  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /** First come, first served. `task` must not throw. */
  run(task: () => void): void {
    if (this.#next < this.#queue.length || this.#spentMs >= this.#sliceMs) this.#queue.push(task);
    else this.#do(task);
    this.#arm();
  }

  #do(task: () => void): void {
    const started = performance.now();
    task();
    this.#spentMs += performance.now() - started;
  }

  /** The slice ends with the turn of the event loop. */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      this.#spentMs = 0;
      while (this.#next < this.#queue.length && this.#spentMs < this.#sliceMs) {
        const task = this.#queue[this.#next++];
        if (task) this.#do(task);
      }
      if (this.#next < this.#queue.length) this.#arm();
      else {
        this.#queue.length = 0;
        this.#next = 0;
      }
    });
  }
}
