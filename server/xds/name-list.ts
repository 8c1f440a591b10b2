import type { ResourceMap } from "./types.ts";

/** Names in an order, each once; streams that have the same share one list. */
export class NameList {
  readonly names: readonly string[];
  /** Characters of all of them. */
  readonly chars: number;
  #places: ReadonlyMap<string, number> | undefined;

  constructor(names: Iterable<string>) {
    this.names = [...new Set(names)];
    this.chars = this.names.reduce((sum, name) => sum + name.length, 0);
  }

  /** -1: not in it. */
  placeOf(name: string): number {
    this.#places ??= new Map(this.names.map((each, place) => [each, place]));
    return this.#places.get(name) ?? -1;
  }
}

const lists = new WeakMap<object, NameList>();
let latest: WeakRef<NameList>[] = [];
const maxLatest = 64;

/** The names of a map's resources. A map that has the names of another one has its list, too. */
export function namesOf(map: ResourceMap): NameList {
  const known = lists.get(map);
  if (known) return known;
  latest = latest.filter((ref) => ref.deref());
  const same = latest.map((ref) => ref.deref()).find((list) => list && hasNames(list, map));
  const list = same ?? new NameList(map.keys());
  if (!same) latest = [new WeakRef(list), ...latest.slice(0, maxLatest - 1)];
  lists.set(map, list);
  return list;
}

function hasNames({ names }: NameList, map: ResourceMap): boolean {
  if (names.length !== map.size) return false;
  let place = 0;
  for (const name of map.keys()) if (names[place++] !== name) return false;
  return true;
}

/** Of an array of names without `*`; the same for the same array. */
export function listOf(names: readonly string[]): NameList {
  const known = lists.get(names);
  if (known) return known;
  const list = new NameList(names);
  lists.set(names, list);
  return list;
}

const disjointPairs = new WeakMap<NameList, WeakMap<NameList, boolean>>();

function areDisjoint(a: NameList, b: NameList): boolean {
  const known = disjointPairs.get(a)?.get(b);
  if (known !== undefined) return known;
  const disjoint = b.names.every((name) => a.placeOf(name) < 0);
  const pairs = disjointPairs.get(a) ?? new WeakMap();
  disjointPairs.set(a, pairs.set(b, disjoint));
  return disjoint;
}

/** Each is looked through for a name. */
const maxLists = 16;

/** The names that one client asked for: lists that it shares with others, and what it added and took away by itself. */
export class Names {
  readonly #lists: NameList[] = [];
  readonly #added = new Set<string>();
  readonly #dropped = new Set<string>();
  #size = 0;
  #chars = 0;

  get size(): number {
    return this.#size;
  }
  /** Characters of all of them. */
  get chars(): number {
    return this.#chars;
  }
  /** The list that these are the names of, no more and no less. */
  get list(): NameList | undefined {
    return this.#lists.length === 1 && this.#added.size + this.#dropped.size === 0 ? this.#lists[0] : undefined;
  }

  has(name: string): boolean {
    return this.#added.has(name) || (this.#isListed(name) && !this.#dropped.has(name));
  }

  /** False: one of them was there before, or there are many lists; nothing was done. */
  addList(list: NameList): boolean {
    if (this.#lists.length >= maxLists || this.#lists.some((other) => !areDisjoint(other, list))) return false;
    for (const own of [this.#added, this.#dropped]) for (const name of own) if (list.placeOf(name) >= 0) return false;
    this.#lists.push(list);
    this.#size += list.names.length;
    this.#chars += list.chars;
    return true;
  }

  /** False: it was there before. */
  add(name: string): boolean {
    if (this.has(name)) return false;
    if (!this.#dropped.delete(name)) this.#added.add(name);
    this.#size += 1;
    this.#chars += name.length;
    return true;
  }

  delete(name: string): boolean {
    if (!this.has(name)) return false;
    if (!this.#added.delete(name)) this.#dropped.add(name);
    this.#size -= 1;
    this.#chars -= name.length;
    return true;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const { names } of this.#lists) for (const name of names) if (!this.#dropped.has(name)) yield name;
    yield* this.#added;
  }

  #isListed(name: string): boolean {
    return this.#lists.some((list) => list.placeOf(name) >= 0);
  }
}
