import type { SpanRecord } from "./span.ts";

/** Names may hold ids: past these many operations, those of a service share one. */
const maxOperations = 5000;

interface Entry {
  durationUs: number;
  traceId: string;
}

/** The slowest spans of each operation (service, kind and name), and the traces that they are of. */
export class Slowest {
  readonly #most: number;
  /** By operation, slowest first; one entry a trace. */
  readonly #operations = new Map<string, Entry[]>();

  constructor(most: number) {
    this.#most = most;
  }

  add({ traceId, service, kind, name, durationUs }: SpanRecord): void {
    if (this.#most === 0) return;
    const entries = this.#entriesOf(`${service}\t${kind}\t${name}`, service);
    const least = entries.at(-1);
    if (least !== undefined && entries.length >= this.#most && durationUs <= least.durationUs) return;
    const own = entries.findIndex((entry) => entry.traceId === traceId);
    if (own >= 0 && (entries[own]?.durationUs ?? 0) >= durationUs) return;
    if (own >= 0) entries.splice(own, 1);
    const at = entries.findIndex((entry) => entry.durationUs < durationUs);
    entries.splice(at < 0 ? entries.length : at, 0, { durationUs, traceId });
    if (entries.length > this.#most) entries.pop();
  }

  traceIds(): Set<string> {
    return new Set([...this.#operations.values()].flatMap((entries) => entries.map(({ traceId }) => traceId)));
  }

  #entriesOf(operation: string, service: string): Entry[] {
    const isFull = this.#operations.size >= maxOperations && !this.#operations.has(operation);
    const key = isFull ? service : operation;
    let entries = this.#operations.get(key);
    if (entries === undefined) {
      entries = [];
      this.#operations.set(key, entries);
    }
    return entries;
  }
}
