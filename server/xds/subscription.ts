import { type Bulk, Bulks } from "./bulk.ts";
import type { Outcome, Phase, Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { type Accepted, Held } from "./held.ts";
import { namesThatDiffer, versionsThatDiffer } from "./map-difference.ts";
import { parseRefusals, readableReason } from "./nack.ts";
import { listOf, Names, namesOf } from "./name-list.ts";
import { kindOf } from "./resource-kinds.ts";
import { stateVersionOf, takeWithin } from "./response-content.ts";
import { type Resource, type ResourceMap, TypeUrl } from "./types.ts";

export interface Refused {
  version: string;
  at: number;
  detail: string;
  resource: Resource;
}

interface InFlight {
  nonce: string;
  resources: ReadonlyMap<string, Resource>;
  removed: readonly string[];
  /** What it is a share of. */
  bulk?: Bulk | undefined;
}

/** A client that holds more than this by itself is brought to share it with others. */
const defaultFoldAbove = 256;

/**
 * What one client wants of one type, holds, refused, and was sent last: a state machine without I/O.
 * At most one response is unanswered; the next is made from the newest snapshot, so that nothing queues up.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
export class Subscription {
  readonly typeUrl: string;
  readonly protocol: Protocol;
  #opened = false;
  #openedAt = 0;
  #wildcard = false;
  #named = false;
  readonly #names = new Names();
  /** Characters of what it said at the beginning that it holds. */
  #resumedChars = 0;
  /** To be answered whatever the client holds: fresh subscriptions, and what a dependency's change makes it ask for again. */
  readonly #wanted = new Set<string>();
  #answerDue = false;
  #resumeVersion: string | undefined;
  /** What the client said it holds, until there is a map to compare it with. */
  #resumed: ReadonlyMap<string, string> | undefined;
  readonly #held = new Held((name) => this.covers(name) && !this.#bulks.isUnanswered(name));
  /** Told in this order, one after the other; what each client holds of them is told by how far it is. */
  readonly #bulks = new Bulks();
  readonly #refused = new Map<string, Refused>();
  #inFlight: InFlight | undefined;
  #lastNonce = "";
  #nonceCount = 0;
  /** Groups of a response that was refused without a name: sent again in halves until the bad one stands alone. */
  #suspects: string[][] = [];
  /**
   * The map that was looked at last, and the names that may need something. For every other name the client has been answered as that map has
   * it, so that a change costs what changed and not what there is. Undefined: nothing is known, all of it has to be looked at.
   */
  #seen: ResourceMap | undefined;
  readonly #open = new Set<string>();
  /** Something happened since. */
  #stirred = true;

  readonly #foldAbove: number;

  constructor(typeUrl: string, protocol: Protocol, foldAbove = defaultFoldAbove) {
    this.typeUrl = typeUrl;
    this.protocol = protocol;
    this.#foldAbove = foldAbove;
  }

  get opened(): boolean {
    return this.#opened;
  }
  get waiting(): boolean {
    return this.#inFlight !== undefined;
  }
  get wildcard(): boolean {
    return this.#wildcard;
  }
  get nameCount(): number {
    return this.#names.size;
  }
  /** Of all names that it asks for or says it holds, together. */
  get nameBytes(): number {
    return this.#names.chars + this.#resumedChars;
  }

  get #isWildcardByDefault(): boolean {
    return kindOf(this.typeUrl)?.wildcardByDefault === true;
  }

  /** Those that were asked for by name. */
  names(): Iterable<string> {
    return this.#names;
  }

  covers(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }
  accepted(name: string): Accepted | undefined {
    return this.#held.get(name);
  }
  holds(name: string): boolean {
    return this.#held.has(name);
  }
  refused(name: string): Refused | undefined {
    return this.#refused.get(name);
  }
  inFlight(name: string): Resource | undefined {
    return this.#inFlight?.resources.get(name);
  }
  /** Of what it holds, entries that it shares with no other client. */
  get ownSize(): number {
    return this.#held.ownSize;
  }

  /** The client was answered about this resource, as the map has it. */
  answered(resource: Resource): boolean {
    if (this.#wanted.has(resource.name)) return false;
    return !this.#needs(resource) && !this.#inFlight?.resources.has(resource.name);
  }

  /** Send it (again) although the client may hold it. */
  want(name: string): void {
    if (!this.#opened || !this.covers(name) || this.#bulks.isQueued(name)) return;
    this.#wanted.add(name);
    this.#open.add(name);
    this.#stirred = true;
  }

  receive(request: SubscriptionRequest, now: number): Outcome {
    this.#stirred = true;
    if (!this.#opened) {
      this.#begin(request, now);
      return { kind: "request" };
    }
    if (this.protocol === "sotw" && request.responseNonce !== this.#lastNonce) return { kind: "stale" };
    const outcome = this.#answer(request, now);
    if (this.protocol === "delta") this.#change(request.subscribe, request.unsubscribe ?? []);
    else this.#replaceNames(request.subscribe);
    return outcome;
  }

  #begin(request: SubscriptionRequest, now: number): void {
    this.#opened = true;
    this.#openedAt = now;
    this.#answerDue = true;
    if (request.subscribe.length === 0 && this.#isWildcardByDefault) this.#wildcard = true;
    if (request.initialVersions && request.initialVersions.size > 0) {
      this.#resumed = request.initialVersions;
      this.#resumedChars = charsOf(request.initialVersions);
    }
    this.#resumeVersion = request.versionInfo || undefined;
    if (request.subscribe.includes("*")) this.#wildcard = true;
    this.#named = request.subscribe.some((name) => name !== "*");
    if (!this.#wildcard) this.#names.addList(listOf(request.subscribe));
    else for (const name of request.subscribe) if (name !== "*") this.#names.add(name);
  }

  /** Delta: names are added and taken away; an added one is always answered. */
  #change(subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const isUnderWay = this.#bulks.size > 0 || this.#resumed !== undefined;
    if ((unsubscribe.length > 0 && isUnderWay) || (subscribe.includes("*") && !this.#wildcard)) this.#separate();
    if (!this.#addBulk(subscribe)) for (const name of subscribe) this.#subscribe(name);
    for (const name of unsubscribe) {
      const held = this.#names.delete(name) || this.#held.has(name);
      if (name === "*") this.#wildcard = false;
      // Still covered by the wildcard: the client dropped it and must be told its state again.
      else if (this.#wildcard && held) {
        this.#wanted.add(name);
        this.#open.add(name);
      }
    }
    if (unsubscribe.length > 0) this.#forgetUncovered();
  }

  #subscribe(name: string): void {
    if (name === "*") {
      this.#answerDue ||= !this.#wildcard;
      this.#wildcard = true;
      this.#seen = undefined;
      return;
    }
    this.#addName(name);
    if (this.#bulks.isQueued(name)) return;
    this.#refused.delete(name);
    this.#wanted.add(name);
    this.#open.add(name);
  }

  /** Many names at once, none of them asked for before. */
  #addBulk(subscribe: readonly string[]): boolean {
    // A few at a time are no list: looking a name up would mean looking through all that ever came.
    if (this.#wildcard || !this.#held.base || subscribe.length <= this.#foldAbove / 4) return false;
    if (subscribe.includes("*")) return false;
    const list = listOf(subscribe);
    if (!this.#names.addList(list)) return false;
    this.#bulks.add(list, true);
    return true;
  }

  #replaceNames(names: readonly string[]): void {
    // An empty list is the old wildcard only until names were given once on this stream.
    if (names.length > 0) this.#named = true;
    const wasWildcard = this.#wildcard;
    this.#wildcard = names.includes("*") || (!this.#named && this.#isWildcardByDefault);
    if (this.#wildcard && !wasWildcard) {
      this.#separate();
      this.#seen = undefined;
    }
    const next = new Set(names);
    for (const name of next) {
      if (name === "*" || this.#names.has(name)) continue;
      this.#addName(name);
      this.#wanted.add(name);
      this.#open.add(name);
    }
    const before = this.#names.size;
    for (const name of this.#names) if (!next.has(name)) this.#names.delete(name);
    if (this.#names.size < before) this.#forgetUncovered();
  }

  #addName(name: string): void {
    if (this.covers(name)) this.#names.add(name);
    // What the shared map has of it was not the client's so far.
    else if (this.#names.add(name)) this.#held.delete(name);
  }

  #forgetUncovered(): void {
    for (const name of this.#held.ownNames()) if (!this.covers(name)) this.#held.forget(name);
    for (const names of [this.#refused, this.#wanted, this.#open]) {
      for (const name of names.keys()) if (!this.covers(name)) names.delete(name);
    }
  }

  /** From here on this client's state stands name by name, for what happens seldom. */
  #separate(): void {
    if (this.#resumed) {
      for (const [name, version] of this.#resumed) this.#held.set(name, { version, at: this.#openedAt });
      for (const name of this.#names) if (!this.#resumed.has(name)) this.#wanted.add(name);
      this.#resumed = undefined;
      this.#forgetUncovered();
    }
    if (!this.#held.base) return;
    this.#held.separate();
    for (const { name, named } of this.#bulks.drain()) {
      this.#open.add(name);
      if (named) this.#wanted.add(name);
    }
    if (this.#inFlight) this.#inFlight.bulk = undefined;
  }

  #answer(request: SubscriptionRequest, now: number): Outcome {
    const sent = this.#inFlight;
    if (!sent || request.responseNonce !== sent.nonce) {
      return { kind: request.responseNonce === "" || this.protocol === "sotw" ? "request" : "stale" };
    }
    if (request.error !== undefined) this.#separate();
    this.#inFlight = undefined;
    if (sent.bulk) {
      this.#acceptBulk(sent, sent.bulk, now);
      return { kind: "ack" };
    }
    // What was sent may no longer be what the map has.
    for (const name of sent.resources.keys()) this.#open.add(name);
    for (const name of sent.removed) this.#open.add(name);
    const refused = request.error === undefined ? new Map<string, string>() : this.#blame(sent, request.error);
    const isolating = request.error !== undefined && refused.size === 0;
    for (const [name, resource] of sent.resources) {
      const detail = refused.get(name);
      if (!this.covers(name) || isolating) continue;
      if (detail !== undefined) {
        this.#refused.set(name, { version: resource.version, at: now, detail, resource });
      } else {
        this.#accept(resource, now);
      }
    }
    for (const name of sent.removed) this.#held.delete(name);
    if (request.error === undefined) return { kind: "ack" };
    return { kind: "nack", message: request.error, refused };
  }

  /** Of what the shared map has changed in meanwhile, the client has what was sent. */
  #acceptBulk({ resources }: InFlight, bulk: Bulk, now: number): void {
    const changed = [...this.#held.ownNames()].flatMap((name) => resources.get(name) ?? []);
    this.#bulks.answered(bulk);
    this.#held.touch(now);
    for (const resource of changed) {
      this.#accept(resource, now);
      this.#open.add(resource.name);
    }
    for (const name of this.#refused.keys()) if (resources.has(name)) this.#refused.delete(name);
  }

  #accept(resource: Resource, now: number): void {
    const { name, version } = resource;
    const before = this.#held.get(name);
    const isKept = before?.version === version;
    this.#held.set(name, { version, at: isKept ? before.at : now, resource });
    // The last good one, sent again in place of a refused one, redeems nothing.
    if (!isKept) this.#refused.delete(name);
  }

  /**
   * Who is to blame? Envoy names listeners and clusters, but not when a message breaks a proto constraint, nor for other types.
   * Then it is the only new resource, or (empty result) not known yet.
   */
  #blame(sent: InFlight, message: string): Map<string, string> {
    const named = parseRefusals(message, sent.resources.keys());
    if (named.size > 0) return named;
    const fresh = [...sent.resources.values()].filter((r) => this.#held.version(r.name) !== r.version);
    if (fresh.length <= 1) return new Map(fresh.map((resource) => [resource.name, readableReason(message)]));
    const names = fresh.map((resource) => resource.name);
    const middle = Math.ceil(names.length / 2);
    this.#suspects.unshift(names.slice(0, middle), names.slice(middle));
    return new Map();
  }

  /** Listeners and clusters on the state-of-the-world protocol: what a response leaves out is gone. */
  get #wholeState(): boolean {
    return this.protocol === "sotw" && kindOf(this.typeUrl)?.wholeState === true;
  }

  #needs(resource: Resource): boolean {
    const { name, version } = resource;
    if (this.#refused.get(name)?.version === version) return false;
    return this.#wanted.has(name) || this.#held.version(name) !== version;
  }

  /** Whether this phase has something to send, now or once the unanswered response is answered. */
  hasWork(map: ResourceMap, phase: Phase): boolean {
    if (!this.#opened) return false;
    this.#prepare(map);
    if (phase === "remove") return this.#removePlan(map) !== undefined;
    if (this.#bulks.size > 0) return true;
    if (this.#answerDue || this.#suspects.length > 0) return this.#plan(map, phase) !== undefined;
    for (const name of this.#open)
      if (map.has(name) || (this.protocol === "delta" && this.#wanted.has(name))) return true;
    return false;
  }

  /** The next response of this phase; undefined: nothing to send, or the last one is unanswered. `limitBytes` holds for delta. */
  next(map: ResourceMap, phase: Phase, limitBytes = Number.POSITIVE_INFINITY): Push | undefined {
    if (!this.#opened || this.#inFlight) return undefined;
    this.#prepare(map);
    const share = phase === "add" ? this.#nextOfBulk(map, limitBytes) : undefined;
    if (share) return share;
    const plan = this.#plan(map, phase);
    if (!plan) return undefined;
    const { resources, removed } = this.protocol === "delta" ? takeWithin(plan, this.typeUrl, limitBytes) : plan;
    const fresh = resources.filter((resource) => this.#needs(resource));
    if (plan.suspects) this.#suspects.shift();
    for (const { name } of resources) this.#wanted.delete(name);
    for (const name of removed) this.#wanted.delete(name);
    const nonce = this.#send({ resources: new Map(resources.map((resource) => [resource.name, resource])), removed });
    return { nonce, version: plan.version ?? "", resources, fresh, removed };
  }

  #send(sent: Omit<InFlight, "nonce">): string {
    this.#stirred = true;
    this.#answerDue = false;
    this.#nonceCount += 1;
    this.#lastNonce = String(this.#nonceCount);
    this.#inFlight = { nonce: this.#lastNonce, ...sent };
    return this.#lastNonce;
  }

  /** The next share of what many clients are told alike. */
  #nextOfBulk(map: ResourceMap, limitBytes: number): Push | undefined {
    // Virtual hosts that go must go with those that come: see `#addPlan`.
    if (this.#bulks.size > 0 && this.typeUrl === TypeUrl.virtualHost && this.#surplus(map).length > 0) {
      this.#separate();
    }
    const share = this.#bulks.next(map, this.typeUrl, limitBytes);
    if (!share) return undefined;
    const { resources, byName, absent } = share.slice;
    const nonce = this.#send({ resources: byName, removed: absent, bulk: share.bulk });
    return { nonce, version: "", resources, fresh: resources, removed: absent };
  }

  #plan(map: ResourceMap, phase: Phase): Plan | undefined {
    if (!this.#opened) return undefined;
    this.#prepare(map);
    return phase === "add" ? (this.#suspectPlan(map) ?? this.#addPlan(map)) : this.#removePlan(map);
  }

  /** Brings the open names up to this map, and closes those that need nothing. */
  #prepare(map: ResourceMap): void {
    if (this.#resumeVersion !== undefined) this.#resume(map);
    if (this.#seen === map && !this.#stirred) return;
    this.#stirred = false;
    if (this.#seen === undefined) this.#meet(map);
    else if (this.#seen !== map) this.#move(this.#seen, map);
    this.#seen = map;
    for (const name of this.#open) if (!this.#isOpen(name, map)) this.#open.delete(name);
    this.#fold(map);
  }

  /** A first map, or one that has to be looked at from the beginning. */
  #meet(map: ResourceMap): void {
    const { list } = this.#names;
    if (this.protocol === "delta" && this.#nonceCount === 0 && (this.#wildcard ? this.#names.size === 0 : list)) {
      this.#share(map);
      return;
    }
    this.#separate();
    if (this.#nonceCount === 0) for (const name of this.#names) if (!this.#held.has(name)) this.#wanted.add(name);
    for (const resource of this.#covered(map)) if (this.#needs(resource)) this.#open.add(resource.name);
    for (const [name] of this.#held.entries()) if (!map.has(name)) this.#open.add(name);
  }

  /** Clients that ask for the same, and say that they hold the same, are told the same. */
  #share(map: ResourceMap): void {
    const { list } = this.#names;
    const named = !this.#wildcard;
    const resumed = this.#resumed;
    this.#resumed = undefined;
    this.#held.share(map, this.#openedAt);
    if (!resumed) {
      this.#bulks.add((named && list) || namesOf(map), named);
      return;
    }
    const { other, missing } = versionsThatDiffer(resumed, map, named ? list : undefined);
    for (const [name, version] of other) this.#held.set(name, { version, at: this.#openedAt });
    for (const name of missing) {
      this.#held.delete(name);
      if (named) this.#wanted.add(name);
    }
    for (const name of [...missing, ...other.map(([it]) => it)]) this.#open.add(name);
  }

  #move(from: ResourceMap, to: ResourceMap): void {
    const names = namesThatDiffer(from, to).filter((name) => this.covers(name) && !this.#bulks.isQueued(name));
    if (this.#held.base) this.#held.move(to, names);
    for (const name of names) this.#open.add(name);
  }

  /** A client that has answered for everything holds the map. */
  #fold(map: ResourceMap): void {
    if (this.#held.ownSize <= this.#foldAbove || this.#inFlight || this.#bulks.size > 0 || this.#refused.size > 0)
      return;
    if (this.#open.size + this.#wanted.size + this.#suspects.length === 0 && !this.#answerDue) this.#held.fold(map);
  }

  #isOpen(name: string, map: ResourceMap): boolean {
    if (!this.covers(name)) return false;
    const resource = map.get(name);
    if (resource) return this.#needs(resource);
    return this.#wanted.has(name) || this.#held.has(name) || this.#refused.has(name);
  }

  #suspectPlan(map: ResourceMap): Plan | undefined {
    while (this.#suspects[0]) {
      const resources = this.#suspects[0].flatMap((name) => map.get(name) ?? []).filter((r) => this.#needs(r));
      if (resources.length > 0) return { ...this.#groupPlan(resources, map), suspects: true };
      this.#suspects.shift();
    }
    return undefined;
  }

  #groupPlan(group: Resource[], map: ResourceMap): Plan {
    if (!this.#wholeState) return { resources: group, removed: [], version: this.#stateVersion(map) };
    const inGroup = new Set(group.map(({ name }) => name));
    const rest = [...this.#held.entries()].flatMap(([name, { resource }]) =>
      inGroup.has(name) ? [] : (resource ?? []),
    );
    return this.#wholePlan([...rest, ...group]);
  }

  #addPlan(map: ResourceMap): Plan | undefined {
    const needed = this.#needed(map);
    // A name that doesn't exist must be answered too: the client waits for it.
    const absent = this.protocol === "delta" ? [...this.#wanted].filter((name) => !map.has(name)) : [];
    if (needed.length === 0 && absent.length === 0 && !this.#answerDue) return undefined;
    if (!this.#wholeState) {
      // Virtual hosts of one table may hand a domain over: Envoy refuses the new holder while the old one stands, and takes both in one response.
      const gone = this.typeUrl === TypeUrl.virtualHost ? this.#surplus(map).map(({ name }) => name) : [];
      return { resources: needed, removed: [...absent, ...gone], version: this.#stateVersion(map) };
    }
    return this.#wholePlan([...this.#exact(map), ...this.#surplus(map).flatMap(({ resource }) => resource ?? [])]);
  }

  /** In the map's own order, whichever way they came to be open: the same for every client that lacks the same. */
  #needed(map: ResourceMap): Resource[] {
    if (this.#open.size === 0) return [];
    const needed: Resource[] = [];
    if (this.#open.size * 4 > map.size) {
      for (const [name, resource] of map) if (this.#open.has(name)) needed.push(resource);
      return needed;
    }
    for (const name of this.#open) {
      const resource = map.get(name);
      if (resource) needed.push(resource);
    }
    return needed;
  }

  #removePlan(map: ResourceMap): Plan | undefined {
    if (this.#refused.size > 0) for (const name of this.#refused.keys()) if (!map.has(name)) this.#refused.delete(name);
    const surplus = this.#surplus(map);
    if (surplus.length === 0) return undefined;
    if (this.#wholeState) return { ...this.#wholePlan(this.#exact(map)), removed: surplus.map(({ name }) => name) };
    if (this.protocol === "delta") return { resources: [], removed: surplus.map(({ name }) => name) };
    for (const { name } of surplus) this.#held.delete(name); // state of the world has no word for it
    return undefined;
  }

  #surplus(map: ResourceMap): { name: string; resource?: Resource }[] {
    const surplus = [];
    for (const name of this.#open) {
      const held = map.has(name) ? undefined : this.#held.get(name);
      if (held) surplus.push({ name, resource: held.resource });
    }
    return surplus;
  }

  /** What the client is to hold in the end: in place of a refused resource, the last good one. */
  #exact(map: ResourceMap): Resource[] {
    return [...this.#covered(map)].flatMap((resource) =>
      this.#refused.get(resource.name)?.version === resource.version
        ? (this.#held.get(resource.name)?.resource ?? [])
        : resource,
    );
  }

  #wholePlan(resources: Resource[]): Plan {
    return { resources, removed: [], version: stateVersionOf(resources) };
  }

  #stateVersion(map: ResourceMap): string | undefined {
    return this.protocol === "sotw" ? stateVersionOf(this.#covered(map)) : undefined;
  }

  /** The client names one version for its whole state; if it is ours, it holds all of it. */
  #resume(map: ResourceMap): void {
    const covered = [...this.#covered(map)];
    if (this.#resumeVersion === stateVersionOf(covered)) {
      for (const resource of covered) this.#accept(resource, this.#openedAt);
      this.#wanted.clear();
      this.#answerDue = false;
    }
    this.#resumeVersion = undefined;
  }

  *#covered(map: ResourceMap): Generator<Resource> {
    if (this.#wildcard) {
      yield* map.values();
      return;
    }
    for (const name of this.#names) {
      const resource = map.get(name);
      if (resource) yield resource;
    }
  }
}

interface Plan {
  resources: readonly Resource[];
  removed: readonly string[];
  version?: string;
  /** It is the first group of suspects. */
  suspects?: boolean;
}

const knownChars = new WeakMap<ReadonlyMap<string, string>, number>();

/** Of names and versions. */
function charsOf(versions: ReadonlyMap<string, string>): number {
  let chars = knownChars.get(versions);
  if (chars === undefined) {
    chars = 0;
    for (const [name, version] of versions) chars += name.length + version.length;
    knownChars.set(versions, chars);
  }
  return chars;
}
