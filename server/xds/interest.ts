import { listOf, Names } from "./name-list.ts";
import { kindOf } from "./resource-kinds.ts";
import type { Resource, ResourceMap } from "./types.ts";

/** What a client asks for of one type: everything, names, or both. */
export class Interest {
  wildcard = false;
  readonly names = new Names();
  readonly #isWildcardByDefault: boolean;
  #named = false;

  constructor(typeUrl: string) {
    this.#isWildcardByDefault = kindOf(typeUrl)?.wildcardByDefault === true;
  }

  covers(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  /** With the first request of a stream. */
  begin(subscribe: readonly string[]): void {
    if (subscribe.length === 0 && this.#isWildcardByDefault) this.wildcard = true;
    if (subscribe.includes("*")) this.wildcard = true;
    this.#named = subscribe.some((name) => name !== "*");
    if (!this.wildcard) this.names.addList(listOf(subscribe));
    else for (const name of subscribe) if (name !== "*") this.names.add(name);
  }

  /** State of the world: what a list of all names says of the wildcard. True: everything is asked for that was not before. */
  widens(names: readonly string[]): boolean {
    // An empty list is the old wildcard only until names were given once on this stream.
    if (names.length > 0) this.#named = true;
    const wasWildcard = this.wildcard;
    this.wildcard = names.includes("*") || (!this.#named && this.#isWildcardByDefault);
    return this.wildcard && !wasWildcard;
  }

  /** Of what there is, in the map's order or the client's. */
  *in(map: ResourceMap): Generator<Resource> {
    if (this.wildcard) {
      yield* map.values();
      return;
    }
    for (const name of this.names) {
      const resource = map.get(name);
      if (resource) yield resource;
    }
  }
}
