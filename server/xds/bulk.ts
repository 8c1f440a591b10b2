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
export interface Slice {
  readonly resources: readonly Resource[];
  readonly byName: ReadonlyMap<string, Resource>;
  readonly absent: readonly string[];
  /** The first that is not in it any more. */
  readonly end: number;
}

const known = new WeakMap<ResourceMap, WeakMap<NameList, Map<string, Slice>>>();

export function sliceOf(map: ResourceMap, bulk: Bulk, typeUrl: string, limitBytes: number): Slice {
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
