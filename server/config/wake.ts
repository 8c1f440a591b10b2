/** Lets many waiters sleep until something happened, or until they are aborted. */
export class Wake {
  #waiters = new Set<() => void>();

  /** Everyone who waits goes on. */
  all(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const resume of waiters) resume();
  }

  /** Resolves at the next `all`, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const resume = () => {
        this.#waiters.delete(resume);
        signal.removeEventListener("abort", resume);
        resolve();
      };
      this.#waiters.add(resume);
      signal.addEventListener("abort", resume, { once: true });
    });
  }
}
