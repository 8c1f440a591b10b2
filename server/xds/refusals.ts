import { parseRefusals, readableReason } from "./nack.ts";
import type { Resource, ResourceMap } from "./types.ts";

export interface Refused {
  version: string;
  /** Unix milliseconds. */
  at: number;
  detail: string;
  resource: Resource;
}

/** What one client has refused of a type, and the search for the culprit where it did not say. */
export class Refusals {
  readonly #refused = new Map<string, Refused>();
  /** Groups of a response that was refused without a name: sent again in halves until the bad one stands alone. */
  #suspects: string[][] = [];

  get size(): number {
    return this.#refused.size;
  }
  get isSearching(): boolean {
    return this.#suspects.length > 0;
  }

  get(name: string): Refused | undefined {
    return this.#refused.get(name);
  }
  names(): Iterable<string> {
    return this.#refused.keys();
  }
  /** This very version. */
  has({ name, version }: Resource): boolean {
    return this.#refused.get(name)?.version === version;
  }
  set(name: string, refused: Refused): void {
    this.#refused.set(name, refused);
  }
  delete(name: string): void {
    this.#refused.delete(name);
  }

  /**
   * Who is to blame? Envoy names listeners and clusters, but not when a message breaks a proto constraint, nor for other types.
   * Then it is the only new resource, or (empty result) not known yet.
   */
  blame(sent: ReadonlyMap<string, Resource>, message: string, isNew: (resource: Resource) => boolean) {
    const named = parseRefusals(message, sent.keys());
    if (named.size > 0) return named;
    const fresh = [...sent.values()].filter(isNew);
    if (fresh.length <= 1) return new Map(fresh.map((resource) => [resource.name, readableReason(message)]));
    const names = fresh.map((resource) => resource.name);
    const middle = Math.ceil(names.length / 2);
    this.#suspects.unshift(names.slice(0, middle), names.slice(middle));
    return new Map<string, string>();
  }

  /** Of the next group, those that are still to be sent; groups without any are dropped. */
  nextSuspects(map: ResourceMap, needs: (resource: Resource) => boolean): Resource[] | undefined {
    while (this.#suspects[0]) {
      const resources = this.#suspects[0].flatMap((name) => map.get(name) ?? []).filter(needs);
      if (resources.length > 0) return resources;
      this.#suspects.shift();
    }
    return undefined;
  }

  /** The group that came last from `nextSuspects` goes out. */
  tried(): void {
    this.#suspects.shift();
  }
}
