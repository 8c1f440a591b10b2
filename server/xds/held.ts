import type { Resource, ResourceMap } from "./types.ts";

export interface Accepted {
  version: string;
  at: number;
  /** Unknown when the client brought it from an earlier stream. */
  resource?: Resource;
}

/**
 * What one client has accepted of a type: all of a map that streams share, but for names that stand here. So thousands of proxies that hold the same
 * cost what they differ in.
 */
export class Held {
  /** Whether what the shared map has of this name is the client's: it asked for it, and has answered. */
  readonly #isShared: (name: string) => boolean;
  #base: ResourceMap | undefined;
  #baseAt = 0;
  /** Null: it holds none of that name. */
  readonly #own = new Map<string, Accepted | null>();

  constructor(isShared: (name: string) => boolean) {
    this.#isShared = isShared;
  }

  /** Undefined: everything stands here by itself. */
  get base(): ResourceMap | undefined {
    return this.#base;
  }
  get ownSize(): number {
    return this.#own.size;
  }
  ownNames(): Iterable<string> {
    return this.#own.keys();
  }
  hasOwn(name: string): boolean {
    return this.#own.has(name);
  }

  get(name: string): Accepted | undefined {
    const own = this.#own.get(name);
    if (own !== undefined) return own ?? undefined;
    const resource = this.#base?.get(name);
    return resource && this.#isShared(name) ? { version: resource.version, at: this.#baseAt, resource } : undefined;
  }

  version(name: string): string | undefined {
    const own = this.#own.get(name);
    if (own !== undefined) return own?.version;
    const resource = this.#base?.get(name);
    return resource && this.#isShared(name) ? resource.version : undefined;
  }

  has(name: string): boolean {
    return this.version(name) !== undefined;
  }

  set(name: string, accepted: Accepted): void {
    this.#own.set(name, accepted);
  }

  delete(name: string): void {
    if (this.#base?.has(name)) this.#own.set(name, null);
    else this.#own.delete(name);
  }

  /** What was said of it by itself is forgotten. */
  forget(name: string): void {
    this.#own.delete(name);
  }

  *entries(): Generator<[string, Accepted]> {
    for (const [name, accepted] of this.#own) if (accepted) yield [name, accepted];
    for (const [name, resource] of this.#base ?? []) {
      if (!this.#own.has(name) && this.#isShared(name)) {
        yield [name, { version: resource.version, at: this.#baseAt, resource }];
      }
    }
  }

  /** It holds all of the map that `isShared` says, but for what stands here. */
  share(map: ResourceMap, at: number): void {
    this.#base = map;
    this.#baseAt = at;
  }

  /** The shared map is another one from here on; of `names`, which differ, what was held is noted. */
  move(to: ResourceMap, names: Iterable<string>): void {
    for (const name of names) {
      if (this.#own.has(name)) continue;
      this.#own.set(name, this.get(name) ?? null);
    }
    this.#base = to;
  }

  /** More of the shared map was accepted. */
  touch(at: number): void {
    this.#baseAt = at;
  }

  /** Everything stands by itself from here on. */
  separate(): void {
    const all = [...this.entries()];
    this.#base = undefined;
    this.#own.clear();
    for (const [name, accepted] of all) this.#own.set(name, accepted);
  }

  /** For a client that has answered for all of `map`. When each resource was accepted is no longer told, but when the last one was. */
  fold(map: ResourceMap): void {
    for (const accepted of this.#own.values()) this.#baseAt = Math.max(this.#baseAt, accepted?.at ?? 0);
    this.#base = map;
    this.#own.clear();
  }
}
