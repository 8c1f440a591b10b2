import type { Resource, ResourceMap } from "./types.ts";

/** Names by which a client says that it drops a resource whose time is over, unless it is told in time that the resource still stands. */
const features: ReadonlySet<string> = new Set(["xds.config.supports-resource-ttl", "xds.supports-resource-ttl"]);

/** https://www.envoyproxy.io/docs/envoy/latest/api/client_features */
export const keepsTime = (clientFeatures: readonly string[]): boolean => clientFeatures.some((it) => features.has(it));

/** Two of three heartbeats may be late. */
const beatsInTtl = 3;

const timed = new WeakMap<object, readonly Resource[]>();

/** Those that have a time; looked for once in what many clients share. */
export function timedAmong(resources: readonly Resource[] | ResourceMap): readonly Resource[] {
  const before = timed.get(resources);
  if (before) return before;
  const found = [...resources.values()].filter(({ ttlMs }) => ttlMs !== undefined);
  timed.set(resources, found);
  return found;
}

/** When one client was last told of each resource of one type that has a time, and when it has to hear of them again. */
export class Lifetimes {
  readonly #toldAt = new Map<string, number>();

  told(resources: readonly Resource[], now: number): void {
    for (const { name } of timedAmong(resources)) this.#toldAt.set(name, now);
  }

  /** When the client must hear of it. What it brought from an earlier stream it may have had for long. */
  dueAt({ name, ttlMs = 0 }: Resource): number {
    const at = this.#toldAt.get(name);
    return at === undefined ? 0 : at + ttlMs / beatsInTtl;
  }

  /** The client has dropped it: nobody told it in time. */
  isOver({ name, ttlMs = 0 }: Resource, now: number): boolean {
    const at = this.#toldAt.get(name);
    return at !== undefined && now >= at + ttlMs;
  }

  /** Forgets what is not among these any more. */
  keep(resources: readonly Resource[]): void {
    if (this.#toldAt.size === 0) return;
    const names = new Set(resources.map(({ name }) => name));
    for (const name of this.#toldAt.keys()) if (!names.has(name)) this.#toldAt.delete(name);
  }
}
