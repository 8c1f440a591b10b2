interface Closable {
  destroy(): unknown;
}

/**
 * At most `max` connections. One more takes the place of the one that has had nothing to do for longest, so that connections which only stand
 * there (they cost whoever opens them nothing) lock nobody out; while every one is at work, the newcomer is closed.
 */
export class ConnectionTable<Connection extends Closable> {
  readonly #max: number;
  /** What each has to do. Whoever becomes idle goes to the end: the first idle one is the idlest. */
  readonly #open = new Map<Connection, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns false when there was no room; it is closed then. */
  add(connection: Connection): boolean {
    if (this.#open.size >= this.#max && !this.#evict()) {
      connection.destroy();
      return false;
    }
    this.#open.set(connection, 0);
    return true;
  }

  remove(connection: Connection): void {
    this.#open.delete(connection);
  }

  /** It has one thing more to do. */
  begin(connection: Connection): void {
    const count = this.#open.get(connection);
    if (count !== undefined) this.#open.set(connection, count + 1);
  }

  end(connection: Connection): void {
    const count = this.#open.get(connection);
    if (count === undefined) return;
    this.#open.delete(connection);
    this.#open.set(connection, count - 1);
  }

  #evict(): boolean {
    for (const [connection, count] of this.#open) {
      if (count > 0) continue;
      this.#open.delete(connection);
      connection.destroy();
      return true;
    }
    return false;
  }
}
