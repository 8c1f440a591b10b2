import type { Accepted } from "./accepted.ts";

/** What a listener has accepted and not seen the end of, each with the id of its chain; empty while that is not chosen, and once it is gone. */
export class OpenConnections {
  /** New ones are told at once that they are to end. */
  draining = false;
  private readonly chains = new Map<Accepted, string>();
  private readonly retirements = new Set<NodeJS.Timeout>();
  private acceptedAt = 0;
  private onEmpty: (() => void) | undefined = undefined;

  /** Somebody has come, of whom nothing is known yet. */
  arrived(): void {
    this.acceptedAt = performance.now();
  }

  put(connection: Accepted, chain: string): void {
    this.chains.set(connection, chain);
  }

  /** @returns the id of its chain; undefined: it is not there */
  take(connection: Accepted): string | undefined {
    const chain = this.chains.get(connection);
    this.chains.delete(connection);
    return chain;
  }

  /** A connection has become another thing. */
  replace(before: Accepted, after: Accepted): void {
    const chain = this.take(before);
    if (chain === undefined) return;
    this.put(after, chain);
    if (this.draining) after.drain();
  }

  /** One has ended, and was taken out before. */
  ended(): void {
    if (this.chains.size === 0) this.onEmpty?.();
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.chains.keys()) connection.drain();
  }

  closeIdle(): void {
    for (const connection of [...this.chains.keys()]) connection.closeIdle();
  }

  /** Only these chains are left: connections of others get Envoy's default drain time to end. https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-drain-time-s */
  retain(chains: ReadonlySet<string>): void {
    const orphans = [...this.chains].filter(([, id]) => id !== "" && !chains.has(id)).map(([connection]) => connection);
    for (const connection of orphans) {
      this.chains.set(connection, "");
      connection.drain();
    }
    if (orphans.length === 0) return;
    this.later(quietMs, () => {
      for (const connection of orphans) connection.closeIdle();
    });
    this.later(chainDrainMs, () => {
      for (const connection of orphans) connection.destroy();
    });
  }

  /** Resolves when no connection and no request has come for a moment. */
  async quiet(limitMs: number): Promise<void> {
    const began = performance.now();
    for (;;) {
      const last = Math.max(this.acceptedAt, ...[...this.chains.keys()].map(({ requestedAt }) => requestedAt));
      // Nobody to wait for: what was never asked has nobody who knows it.
      if (this.chains.size === 0 && last === 0) return;
      const left = Math.min(Math.max(last, began) + quietMs, began + limitMs) - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** Resolves when there are none, or it takes too long. */
  async empty(limitMs: number): Promise<void> {
    if (this.chains.size === 0 || limitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  destroy(): void {
    for (const timer of this.retirements) clearTimeout(timer);
    for (const connection of [...this.chains.keys()]) connection.destroy();
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.retirements.delete(timer);
      act();
    }, ms).unref();
    this.retirements.add(timer);
  }
}

/** Longer than a request is under way to us on a connection that it takes to be idle. */
const quietMs = 250;
/** Envoy's default --drain-time-s. */
const chainDrainMs = 600_000;
