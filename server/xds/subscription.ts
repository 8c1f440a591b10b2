import type { Bulk } from "./bulk.ts";
import type { Outcome, Phase, Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import type { Accepted } from "./held.ts";
import { Interest } from "./interest.ts";
import { listOf } from "./name-list.ts";
import { type Plan, Planner } from "./plan.ts";
import { Progress } from "./progress.ts";
import { Refusals, type Refused } from "./refusals.ts";
import { takeWithin } from "./response-content.ts";
import { type Resource, type ResourceMap, TypeUrl } from "./types.ts";

interface InFlight {
  nonce: string;
  resources: ReadonlyMap<string, Resource>;
  removed: readonly string[];
  /** What it is a share of. */
  bulk?: Bulk | undefined;
  /** It says nothing but that these still stand. */
  heartbeats?: readonly Resource[];
}

/**
 * What one client wants of one type, holds, refused, and was sent last: a state machine without I/O.
 * At most one response is unanswered; the next is made from the newest snapshot, so that nothing queues up.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
export class Subscription {
  readonly typeUrl: string;
  readonly protocol: Protocol;
  readonly #interest: Interest;
  readonly #refusals = new Refusals();
  readonly #progress: Progress;
  readonly #planner: Planner;
  #opened = false;
  #answerDue = false;
  /** Characters of what it said at the beginning that it holds. */
  #resumedChars = 0;
  #inFlight: InFlight | undefined;
  #lastNonce = "";
  #nonceCount = 0;

  constructor(typeUrl: string, protocol: Protocol, foldAbove?: number) {
    this.typeUrl = typeUrl;
    this.protocol = protocol;
    const interest = new Interest(typeUrl);
    const progress = new Progress(interest, this.#refusals, foldAbove);
    this.#interest = interest;
    this.#progress = progress;
    this.#planner = new Planner({ typeUrl, protocol, interest, progress, refusals: this.#refusals });
  }

  get opened(): boolean {
    return this.#opened;
  }
  get waiting(): boolean {
    return this.#inFlight !== undefined;
  }
  get wildcard(): boolean {
    return this.#interest.wildcard;
  }
  get nameCount(): number {
    return this.#interest.names.size;
  }
  /** Of all names that it asks for or says it holds, together. */
  get nameBytes(): number {
    return this.#interest.names.chars + this.#resumedChars;
  }

  /** Those that were asked for by name. */
  names(): Iterable<string> {
    return this.#interest.names;
  }

  covers(name: string): boolean {
    return this.#interest.covers(name);
  }
  accepted(name: string): Accepted | undefined {
    return this.#progress.held.get(name);
  }
  holds(name: string): boolean {
    return this.#progress.held.has(name);
  }
  refused(name: string): Refused | undefined {
    return this.#refusals.get(name);
  }
  inFlight(name: string): Resource | undefined {
    return this.#inFlight?.resources.get(name);
  }
  /** Of what it holds, entries that it shares with no other client. */
  get ownSize(): number {
    return this.#progress.held.ownSize;
  }

  /** The client was answered about this resource, as the map has it. */
  answered(resource: Resource): boolean {
    if (this.#progress.wanted.has(resource.name)) return false;
    return !this.#progress.needs(resource) && !this.#inFlight?.resources.has(resource.name);
  }

  /** Send it (again) although the client may hold it. */
  want(name: string): void {
    if (!this.#opened || !this.covers(name) || this.#progress.bulks.isQueued(name)) return;
    this.#progress.want(name);
    this.#progress.stirred = true;
  }

  receive(request: SubscriptionRequest, now: number): Outcome {
    this.#progress.stirred = true;
    if (!this.#opened) {
      this.#begin(request, now);
      return { kind: "request" };
    }
    if (this.protocol === "sotw" && request.responseNonce !== this.#lastNonce) {
      this.#noteDropped(request.subscribe);
      return { kind: "stale" };
    }
    const outcome = this.#answer(request, now);
    if (this.protocol === "delta") this.#change(request.subscribe, request.unsubscribe ?? []);
    else this.#replaceNames(request.subscribe);
    return outcome;
  }

  /**
   * Always answered. On the state-of-the-world protocol the version that a client comes back with is that of the last response it took whole: it says nothing
   * of names that it dropped since, nor of what it took of a response that it refused.
   */
  #begin({ subscribe, initialVersions }: SubscriptionRequest, now: number): void {
    this.#opened = true;
    this.#progress.openedAt = now;
    this.#answerDue = true;
    if (initialVersions && initialVersions.size > 0) {
      this.#progress.resume(initialVersions);
      this.#resumedChars = charsOf(initialVersions);
    }
    this.#interest.begin(subscribe);
  }

  /**
   * State of the world: a list of names that crossed with a response doesn't count, the client sends it again with its answer. But what is not in it was
   * dropped, and if the client has asked for it once more by then, it waits for it.
   */
  #noteDropped(names: readonly string[]): void {
    if (this.wildcard) return;
    const kept = new Set(names);
    for (const name of this.#interest.names) {
      if (kept.has(name)) continue;
      this.#progress.held.delete(name);
      this.#progress.want(name);
    }
  }

  /** Delta: names are added and taken away; an added one is always answered. */
  #change(subscribe: readonly string[], unsubscribe: readonly string[]): void {
    const { isUnderWay, held } = this.#progress;
    const isWidened = subscribe.includes("*") && !this.wildcard;
    if ((unsubscribe.length > 0 && isUnderWay) || isWidened) this.#progress.separate();
    if (!this.#addBulk(subscribe)) for (const name of subscribe) this.#subscribe(name);
    for (const name of unsubscribe) {
      const hadIt = this.#interest.names.delete(name) || held.has(name);
      if (name === "*") this.#interest.wildcard = false;
      // Still covered by the wildcard: the client dropped it and must be told its state again.
      else if (this.wildcard && hadIt) this.#progress.want(name);
    }
    if (unsubscribe.length > 0) this.#progress.forgetUncovered();
  }

  #subscribe(name: string): void {
    if (name === "*") {
      this.#answerDue ||= !this.wildcard;
      this.#interest.wildcard = true;
      this.#progress.startOver();
      return;
    }
    this.#progress.addName(name);
    if (this.#progress.bulks.isQueued(name)) return;
    this.#refusals.delete(name);
    this.#progress.want(name);
  }

  /** Many names at once, none of them asked for before. */
  #addBulk(subscribe: readonly string[]): boolean {
    const { held, foldAbove, bulks } = this.#progress;
    // A few at a time are no list: looking a name up would mean looking through all that ever came.
    if (this.wildcard || !held.base || subscribe.length <= foldAbove / 4) return false;
    if (subscribe.includes("*")) return false;
    const list = listOf(subscribe);
    if (!this.#interest.names.addList(list)) return false;
    bulks.add(list, true);
    return true;
  }

  #replaceNames(names: readonly string[]): void {
    if (this.#interest.widens(names)) {
      this.#progress.separate();
      this.#progress.startOver();
    }
    const known = this.#interest.names;
    const next = new Set(names);
    for (const name of next) {
      if (name === "*" || known.has(name)) continue;
      this.#progress.addName(name);
      this.#progress.want(name);
    }
    const before = known.size;
    for (const name of known) if (!next.has(name)) known.delete(name);
    if (known.size < before) this.#progress.forgetUncovered();
  }

  #answer({ responseNonce, error }: SubscriptionRequest, now: number): Outcome {
    const sent = this.#inFlight;
    if (!sent || responseNonce !== sent.nonce) {
      return { kind: responseNonce === "" || this.protocol === "sotw" ? "request" : "stale" };
    }
    if (error !== undefined) this.#progress.separate();
    this.#inFlight = undefined;
    // It has dropped what was to live on.
    if (error !== undefined) for (const { name } of sent.heartbeats ?? []) this.want(name);
    if (sent.bulk && this.#progress.bulks.isUnderWay(sent.bulk)) {
      this.#acceptBulk(sent, sent.bulk, now);
      return { kind: "ack" };
    }
    const { held, open } = this.#progress;
    // What was sent may no longer be what the map has.
    for (const name of sent.resources.keys()) open.add(name);
    for (const name of sent.removed) open.add(name);
    const refused = error === undefined ? undefined : this.#refuse(sent, error, now);
    const isIsolating = refused?.size === 0;
    for (const [name, resource] of isIsolating ? [] : sent.resources) {
      if (this.covers(name) && !refused?.has(name)) this.#progress.accept(resource, now);
    }
    for (const name of sent.removed) held.delete(name);
    if (refused === undefined) return { kind: "ack" };
    return { kind: "nack", message: error ?? "", refused };
  }

  /** Whom it refused of what was sent, and why; empty: that is yet to be found out. */
  #refuse({ resources }: InFlight, error: string, now: number): ReadonlyMap<string, string> {
    const { held } = this.#progress;
    const refused = this.#refusals.blame(resources, error, ({ name, version }) => held.version(name) !== version);
    for (const [name, detail] of refused) {
      const resource = resources.get(name);
      if (!resource || !this.covers(name)) continue;
      this.#refusals.set(name, { version: resource.version, at: now, detail, resource });
    }
    return refused;
  }

  /** Of what the shared map has changed in meanwhile, the client has what was sent. */
  #acceptBulk({ resources }: InFlight, bulk: Bulk, now: number): void {
    const { held, bulks, open } = this.#progress;
    const changed = [...held.ownNames()].flatMap((name) => resources.get(name) ?? []);
    bulks.answered(bulk);
    held.touch(now);
    for (const resource of changed) {
      this.#progress.accept(resource, now);
      open.add(resource.name);
    }
    for (const name of this.#refusals.names()) if (resources.has(name)) this.#refusals.delete(name);
  }

  /** Whether this phase has something to send, now or once the unanswered response is answered. */
  hasWork(map: ResourceMap, phase: Phase): boolean {
    if (!this.#opened) return false;
    this.#lookAt(map);
    if (phase === "remove") return this.#plan(map, phase) !== undefined;
    const { bulks, open, wanted } = this.#progress;
    if (bulks.size > 0) return true;
    if (this.#answerDue || this.#refusals.isSearching) return this.#plan(map, phase) !== undefined;
    for (const name of open) if (map.has(name) || (this.protocol === "delta" && wanted.has(name))) return true;
    return false;
  }

  /** The next response of this phase; undefined: nothing to send, or the last one is unanswered. `limitBytes` holds for delta. */
  next(map: ResourceMap, phase: Phase, limitBytes = Number.POSITIVE_INFINITY): Push | undefined {
    if (!this.#opened || this.#inFlight) return undefined;
    this.#lookAt(map);
    const share = phase === "add" ? this.#nextOfBulk(map, limitBytes) : undefined;
    if (share) return share;
    const plan = this.#plan(map, phase);
    if (!plan) return undefined;
    const { resources, removed } = this.protocol === "delta" ? takeWithin(plan, this.typeUrl, limitBytes) : plan;
    const { wanted } = this.#progress;
    const fresh = resources.filter((resource) => this.#progress.needs(resource));
    if (plan.suspects) this.#refusals.tried();
    for (const { name } of resources) wanted.delete(name);
    for (const name of removed) {
      wanted.delete(name);
      this.#refusals.delete(name);
    }
    const byName = new Map(resources.map((resource) => [resource.name, resource]));
    const nonce = this.#send({ resources: byName, removed });
    return { nonce, version: plan.version ?? "", resources, fresh, removed };
  }

  /** Incremental: says to a client that needs nothing else that these, which it holds, still stand. */
  heartbeat(resources: readonly Resource[]): Push | undefined {
    if (!this.#opened || this.#inFlight || this.#answerDue || resources.length === 0) return undefined;
    const nonce = this.#send({ resources: new Map(), removed: [], heartbeats: resources });
    return { nonce, version: "", resources: [], fresh: [], removed: [], heartbeats: resources };
  }

  #send(sent: Omit<InFlight, "nonce">): string {
    this.#progress.stirred = true;
    this.#answerDue = false;
    this.#nonceCount += 1;
    this.#lastNonce = String(this.#nonceCount);
    this.#inFlight = { nonce: this.#lastNonce, ...sent };
    return this.#lastNonce;
  }

  /** The next share of what many clients are told alike. */
  #nextOfBulk(map: ResourceMap, limitBytes: number): Push | undefined {
    const { bulks } = this.#progress;
    // Virtual hosts that go must go with those that come: see `Planner`.
    if (bulks.size > 0 && this.typeUrl === TypeUrl.virtualHost && this.#planner.surplus(map).length > 0) {
      this.#progress.separate();
    }
    const share = bulks.next(map, this.typeUrl, limitBytes);
    if (!share) return undefined;
    const { resources, byName, absent } = share.slice;
    const nonce = this.#send({ resources: byName, removed: absent, bulk: share.bulk });
    return { nonce, version: "", resources, fresh: resources, removed: absent };
  }

  #plan(map: ResourceMap, phase: Phase): Plan | undefined {
    return this.#planner.next(map, phase, this.#answerDue);
  }

  #lookAt(map: ResourceMap): void {
    this.#progress.lookAt(map, {
      protocol: this.protocol,
      isFirst: this.#nonceCount === 0,
      isQuiet: !this.#inFlight && !this.#answerDue,
    });
  }
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
