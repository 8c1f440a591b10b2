import { Bulks } from "./bulk.ts";
import type { Protocol } from "./exchange.ts";
import { Held } from "./held.ts";
import type { Interest } from "./interest.ts";
import { namesThatDiffer, versionsThatDiffer } from "./map-difference.ts";
import { namesOf } from "./name-list.ts";
import type { Refusals } from "./refusals.ts";
import type { Resource, ResourceMap } from "./types.ts";

/** A client that holds more than this by itself is brought to share it with others. */
const defaultFoldAbove = 256;

/** What the conversation is at when a map is looked at. */
export interface Stage {
  readonly protocol: Protocol;
  /** Nothing was sent yet. */
  readonly isFirst: boolean;
  /** Nothing is on its way, or to be sent whatever there is. */
  readonly isQuiet: boolean;
}

/**
 * How far one client has come with a type: what it holds, and which names may need something. Clients that ask for the same and hold the same are told
 * from what they share; whatever is rare stands name by name.
 */
export class Progress {
  readonly held: Held;
  /** Told in this order, one after the other; what each client holds of them is told by how far it is. */
  readonly bulks = new Bulks();
  /** To be answered whatever the client holds: fresh subscriptions, and what a dependency's change makes it ask for again. */
  readonly wanted = new Set<string>();
  /**
   * Names that may need something, beside the map that was looked at last. For every other name the client has been answered as that map has
   * it, so that a change costs what changed and not what there is.
   */
  readonly open = new Set<string>();
  /** Something happened since the map was looked at. */
  stirred = true;
  /** Unix milliseconds. */
  openedAt = 0;
  /** Above this many names a request is a list. */
  readonly foldAbove: number;
  readonly #interest: Interest;
  readonly #refusals: Refusals;
  /** Undefined: nothing is known, all of it has to be looked at. */
  #seen: ResourceMap | undefined;
  /** What the client said it holds, until there is a map to compare it with. */
  #resumed: ReadonlyMap<string, string> | undefined;

  constructor(interest: Interest, refusals: Refusals, foldAbove = defaultFoldAbove) {
    this.#interest = interest;
    this.#refusals = refusals;
    this.foldAbove = foldAbove;
    this.held = new Held((name) => interest.covers(name) && !this.bulks.isUnanswered(name));
  }

  /** Much is on its way that stands nowhere name by name. */
  get isUnderWay(): boolean {
    return this.bulks.size > 0 || this.#resumed !== undefined;
  }

  /** It comes back with this. */
  resume(versions: ReadonlyMap<string, string>): void {
    this.#resumed = versions;
  }

  needs(resource: Resource): boolean {
    if (this.#refusals.has(resource)) return false;
    return this.wanted.has(resource.name) || this.held.version(resource.name) !== resource.version;
  }

  want(name: string): void {
    this.wanted.add(name);
    this.open.add(name);
  }

  accept(resource: Resource, now: number): void {
    const { name, version } = resource;
    const before = this.held.get(name);
    const isKept = before?.version === version;
    this.held.set(name, { version, at: isKept ? before.at : now, resource });
    // The last good one, sent again in place of a refused one, redeems nothing.
    if (!isKept) this.#refusals.delete(name);
  }

  addName(name: string): void {
    const { names } = this.#interest;
    if (this.#interest.covers(name)) names.add(name);
    // What the shared map has of it was not the client's so far.
    else if (names.add(name)) this.held.delete(name);
  }

  forgetUncovered(): void {
    const covers = (name: string) => this.#interest.covers(name);
    for (const name of this.held.ownNames()) if (!covers(name)) this.held.forget(name);
    for (const name of this.#refusals.names()) if (!covers(name)) this.#refusals.delete(name);
    for (const names of [this.wanted, this.open]) for (const name of names) if (!covers(name)) names.delete(name);
  }

  /** The next map is looked at from the beginning. */
  startOver(): void {
    this.#seen = undefined;
  }

  /** From here on this client's state stands name by name, for what happens seldom. */
  separate(): void {
    if (this.#resumed) {
      for (const [name, version] of this.#resumed) this.held.set(name, { version, at: this.openedAt });
      for (const name of this.#interest.names) if (!this.#resumed.has(name)) this.wanted.add(name);
      this.#resumed = undefined;
      this.forgetUncovered();
    }
    if (!this.held.base) return;
    this.held.separate();
    for (const { name, named } of this.bulks.drain()) {
      this.open.add(name);
      if (named) this.wanted.add(name);
    }
  }

  /** Brings the open names up to this map, and closes those that need nothing. */
  lookAt(map: ResourceMap, stage: Stage): void {
    if (this.#seen === map && !this.stirred) return;
    this.stirred = false;
    if (this.#seen === undefined) this.#meet(map, stage);
    else if (this.#seen !== map) this.#move(this.#seen, map);
    this.#seen = map;
    for (const name of this.open) if (!this.#isOpen(name, map)) this.open.delete(name);
    if (stage.isQuiet) this.#fold(map);
  }

  /** A first map, or one that has to be looked at from the beginning. */
  #meet(map: ResourceMap, { protocol, isFirst }: Stage): void {
    const { wildcard, names } = this.#interest;
    if (protocol === "delta" && isFirst && (wildcard ? names.size === 0 : names.list)) {
      this.#share(map);
      return;
    }
    this.separate();
    if (isFirst) for (const name of names) if (!this.held.has(name)) this.wanted.add(name);
    for (const resource of this.#interest.in(map)) if (this.needs(resource)) this.open.add(resource.name);
    for (const [name] of this.held.entries()) if (!map.has(name)) this.open.add(name);
  }

  /** Clients that ask for the same, and say that they hold the same, are told the same. */
  #share(map: ResourceMap): void {
    const { list } = this.#interest.names;
    const named = !this.#interest.wildcard;
    const resumed = this.#resumed;
    this.#resumed = undefined;
    this.held.share(map, this.openedAt);
    if (!resumed) {
      this.bulks.add((named && list) || namesOf(map), named);
      return;
    }
    const { other, missing } = versionsThatDiffer(resumed, map, named ? list : undefined);
    for (const [name, version] of other) this.held.set(name, { version, at: this.openedAt });
    for (const name of missing) {
      this.held.delete(name);
      if (named) this.wanted.add(name);
    }
    for (const name of [...missing, ...other.map(([it]) => it)]) this.open.add(name);
  }

  #move(from: ResourceMap, to: ResourceMap): void {
    const names = namesThatDiffer(from, to).filter((name) => this.#interest.covers(name) && !this.bulks.isQueued(name));
    if (this.held.base) this.held.move(to, names);
    for (const name of names) this.open.add(name);
  }

  /** A client that has answered for everything holds the map. */
  #fold(map: ResourceMap): void {
    if (this.held.ownSize <= this.foldAbove || this.bulks.size > 0 || this.#refusals.size > 0) return;
    if (this.open.size + this.wanted.size === 0 && !this.#refusals.isSearching) this.held.fold(map);
  }

  #isOpen(name: string, map: ResourceMap): boolean {
    if (!this.#interest.covers(name)) return false;
    const resource = map.get(name);
    if (resource) return this.needs(resource);
    return this.wanted.has(name) || this.held.has(name) || this.#refusals.get(name) !== undefined;
  }
}
