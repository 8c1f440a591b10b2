import type { NameList } from "./name-list.ts";
import { removedBytes, resourceBytes, responseOverhead } from "./response-content.ts";
import type { Resource, ResourceMap } from "./types.ts";

/** A list of names that a client is to be told of from the beginning to the end, as far as it has come. */
export interface Bulk {
  readonly list: NameList;
  /** Names that are not there are told as such: somebody waits for them. */
  readonly named: boolean;
  /** The first that was not sent. */
  sent: number;
  /** The first that was not answered. */
  answered: number;
}

/** One response's share of it: the same object for all clients that have come as far. */
interface Slice {
  readonly resources: readonly Resource[];
  readonly byName: ReadonlyMap<string, Resource>;
  readonly absent: readonly string[];
  /** The first that is not in it any more. */
  readonly end: number;
}

/** Those of one client, told one after the other. */
export class Bulks {
  readonly #all: Bulk[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(list: NameList, named: boolean): void {
    this.#all.push({ list, named, sent: 0, answered: 0 });
  }

  /** The client will be told of the name anyway. */
  isQueued(name: string): boolean {
    return this.#all.some(({ list, sent }) => list.placeOf(name) >= sent);
  }

  /** It was not told, or has not answered. */
  isUnanswered(name: string): boolean {
    return this.#all.some(({ list, answered }) => list.placeOf(name) >= answered);
  }

  /** Not given up, nor told to the end. */
  isUnderWay(bulk: Bulk): boolean {
    return this.#all.includes(bulk);
  }

  /** The next share, which counts as sent. */
  next(map: ResourceMap, typeUrl: string, limitBytes: number): { bulk: Bulk; slice: Slice } | undefined {
    for (let [bulk] = this.#all; bulk; [bulk] = this.#all) {
      const slice = sliceOf(map, bulk, typeUrl, limitBytes);
      bulk.sent = slice.end;
      if (slice.resources.length + slice.absent.length > 0) return { bulk, slice };
      this.#all.shift();
    }
    return undefined;
  }

  /** The share that was sent last. */
  answered(bulk: Bulk): void {
    bulk.answered = bulk.sent;
    if (bulk.answered >= bulk.list.names.length) this.#all.shift();
  }

  /** Gives up; the names that were not sent, and whether somebody waits for them. */
  *drain(): Generator<{ name: string; named: boolean }> {
    for (const { list, sent, named } of this.#all.splice(0)) {
      for (const name of list.names.slice(sent)) yield { name, named };
    }
  }
}

const known = new WeakMap<ResourceMap, WeakMap<NameList, Map<string, Slice>>>();

function sliceOf(map: ResourceMap, bulk: Bulk, typeUrl: string, limitBytes: number): Slice {
  const byList = known.get(map) ?? new WeakMap<NameList, Map<string, Slice>>();
  known.set(map, byList);
  const slices = byList.get(bulk.list) ?? new Map<string, Slice>();
  byList.set(bulk.list, slices);
  const key = `${bulk.sent} ${bulk.named} ${limitBytes} ${typeUrl}`;
  const before = slices.get(key);
  if (before) return before;
  const slice = cut(map, bulk, typeUrl, limitBytes);
  slices.set(key, slice);
  return slice;
}

function cut(map: ResourceMap, { list, sent, named }: Bulk, typeUrl: string, limitBytes: number): Slice {
  const byName = new Map<string, Resource>();
  const absent: string[] = [];
  let left = limitBytes - responseOverhead;
  let end = sent;
  for (; end < list.names.length; end++) {
    const name = list.names[end] ?? "";
    const resource = map.get(name);
    if (!resource && !named) continue;
    left -= resource ? resourceBytes(resource, typeUrl) : removedBytes(name);
    if (left < 0 && byName.size + absent.length > 0) break;
    if (resource) byName.set(name, resource);
    else absent.push(name);
  }
  return { resources: [...byName.values()], byName, absent, end };
}
