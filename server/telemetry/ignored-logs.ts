import { clean } from "../wire/peer.ts";

/** Log entries that count for nothing, and whose they are. */
export interface IgnoredLog {
  /** Node id; empty: unknown. */
  proxy: string;
  logName: string;
  because: string;
}

const maxKinds = 100;

/** Counts what was ignored, so that nobody wonders where their requests are. Bounded: past it, what else is ignored is counted as one. */
export class IgnoredLogs {
  total = 0;
  readonly #kinds = new Map<string, IgnoredLog & { entries: number; lastAtMs: number }>();

  add({ proxy, logName, because }: IgnoredLog, nowMs: number): void {
    this.total++;
    const key = JSON.stringify([proxy, logName, because]);
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      const full = this.#kinds.size >= maxKinds;
      kind = this.#kinds.get(others) ?? {
        ...(full ? { proxy: "", logName: "", because: "others" } : { proxy, logName: clean(logName), because }),
        entries: 0,
        lastAtMs: nowMs,
      };
      this.#kinds.set(full ? others : key, kind);
    }
    kind.entries++;
    kind.lastAtMs = nowMs;
  }

  /** The most first. */
  list(): readonly (IgnoredLog & { entries: number; lastAtMs: number })[] {
    return [...this.#kinds.values()].toSorted((a, b) => b.entries - a.entries);
  }
}

const others = "others";
