import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { Clock } from "../lib/clock.ts";
import { memo } from "../lib/memo.ts";
import { encodeAll } from "./encode.ts";
import type { Phase, Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { Heartbeats } from "./heartbeats.ts";
import { RequestError } from "./request-error.ts";
import { type AnyKind, addOrder, kindOf, removeOrder } from "./resource-kinds.ts";
import { Subscription } from "./subscription.ts";
import { type Resource, type ResourceMap, resourcesOf, type Snapshot, TypeUrl } from "./types.ts";

export interface SessionOptions {
  /** Unique in this process. */
  id: string;
  node: Node;
  /** The URI that its certificate names it by; undefined: it came over plain text. */
  identity?: string;
  protocol: Protocol;
  /** False: the stream is of one type's own service. Default true. */
  aggregated?: boolean;
  /** False: it is one answer to a unary call, and nobody who asked so is missed. Default true. */
  lasting?: boolean;
  /** The client drops a resource with a time of which it does not hear within that. Default false. */
  keepsTime?: boolean;
  clock: Clock;
  write(typeUrl: string, push: Push, revision: number): void;
  /** Ends the stream, so that the client comes back later. */
  end?(reason: string): void;
  events: SessionEvents;
  /** How long later types wait for a client that doesn't answer earlier ones. */
  orderWaitMs: number;
  /** Of one incremental response. */
  responseBytes: number;
  /** Names over all types, at a time; beyond it `receive` throws. Default: no bound. */
  maxNames?: number;
  /** Characters of what is named, or was held before the stream began. Default: no bound. */
  maxNameBytes?: number;
}

export interface SessionEvents {
  pushed?(session: Session, typeUrl: string, push: Push): void;
  acked?(session: Session, typeUrl: string): void;
  /** `refused` is empty while the culprit is still being looked for. */
  nacked?(session: Session, typeUrl: string, refused: ReadonlyMap<string, string>, message: string): void;
  /** The client has answered for everything of this revision that it subscribed to. Once per revision. */
  settled?(session: Session, revision: number): void;
}

/** One stream of one client: its subscriptions, the newest snapshot, and the order in which the one is brought to the other. */
export class Session {
  readonly id: string;
  readonly node: Node;
  readonly identity: string | undefined;
  readonly protocol: Protocol;
  readonly aggregated: boolean;
  readonly lasting: boolean;
  readonly connectedAt: number;
  readonly subscriptions = new Map<string, Subscription>();
  readonly nacks = new Map<string, number>();
  /** When each type was sent last, Unix milliseconds: what is unanswered is so since then. */
  readonly sentAt = new Map<string, number>();
  snapshot: Snapshot | undefined;
  readonly #options: SessionOptions;
  #settledRevision = -1;
  #wait: { cancel(): void } | undefined;
  #waitOver = false;
  #closed = false;
  readonly #heartbeats: Heartbeats | undefined;
  /** Clusters that were pushed, whose load assignments the client will ask for; `next`: the first that was not found to be answered. */
  #expected: { readonly clusters: readonly Resource[]; next: number }[] = [];

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.node = options.node;
    this.identity = options.identity;
    this.protocol = options.protocol;
    this.aggregated = options.aggregated ?? true;
    this.lasting = options.lasting ?? true;
    this.connectedAt = options.clock.now();
    this.#options = options;
    if (options.keepsTime) {
      this.#heartbeats = new Heartbeats({
        clock: options.clock,
        subscriptions: this.subscriptions,
        write: (typeUrl, push) => this.#write(typeUrl, push),
        onDue: () => this.#pump(),
      });
    }
  }

  publish(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.#pump();
  }

  /** Throws `RequestError` for a client that asks for more than it may. */
  receive(typeUrl: string, request: SubscriptionRequest): void {
    const known = this.subscriptions.get(typeUrl);
    const subscription = known ?? new Subscription(typeUrl, this.protocol);
    if (!known) this.subscriptions.set(typeUrl, subscription);
    const outcome = subscription.receive(request, this.#options.clock.now());
    this.#checkBounds();
    if (outcome.kind === "ack") this.#options.events.acked?.(this, typeUrl);
    if (outcome.kind === "nack") {
      this.nacks.set(typeUrl, (this.nacks.get(typeUrl) ?? 0) + 1);
      this.#options.events.nacked?.(this, typeUrl, outcome.refused, outcome.message);
    }
    this.#pump();
  }

  /** Each request is bounded by itself; this is what many of them add up to. */
  #checkBounds(): void {
    const { maxNames = Number.POSITIVE_INFINITY, maxNameBytes = Number.POSITIVE_INFINITY } = this.#options;
    let [names, bytes] = [0, 0];
    for (const subscription of this.subscriptions.values()) {
      names += subscription.nameCount;
      bytes += subscription.nameBytes;
    }
    if (names > maxNames) throw new RequestError(`more than ${maxNames} resource names on one stream`);
    if (bytes > maxNameBytes) throw new RequestError(`more than ${maxNameBytes} bytes of resource names on one stream`);
  }

  /** The server can't serve it now. */
  end(reason: string): void {
    this.#options.end?.(reason);
  }

  close(): void {
    this.#closed = true;
    this.#wait?.cancel();
    this.#heartbeats?.stop();
  }

  #resources(snapshot: Snapshot, typeUrl: string): ResourceMap {
    const map = resourcesOf(snapshot, typeUrl);
    const kind = this.protocol === "sotw" ? kindOf(typeUrl) : undefined;
    if (!kind?.absent) return map;
    const names = [...(this.subscriptions.get(typeUrl)?.names() ?? [])].filter((name) => !map.has(name));
    if (names.length === 0) return map;
    return memo(this, `absent ${typeUrl} ${names.join(" ")}`, [map], () => withAbsent(map, names, kind));
  }

  #pump(): void {
    if (this.#closed || !this.snapshot) return;
    const now = this.#options.clock.now();
    this.#heartbeats?.lapse(this.snapshot, now);
    const done = this.#addAll(this.snapshot) && this.#removeAll(this.snapshot);
    if (!done || this.#waitOver) {
      if (!this.#wait && !this.#waitOver) this.#startWait();
    } else {
      this.#wait?.cancel();
      this.#wait = undefined;
    }
    this.#reportSettled(this.snapshot);
    this.#heartbeats?.beat(this.snapshot, now);
  }

  /** Additions and changes in order, types that are not ours first; false: a later type waits for an earlier one. */
  #addAll(snapshot: Snapshot): boolean {
    for (const typeUrl of this.#addTypes()) {
      this.#send(typeUrl, snapshot, "add");
      if (typeUrl === TypeUrl.endpoint && !this.#waitOver && this.#clustersPending(snapshot)) return false;
    }
    return true;
  }

  #addTypes(): string[] {
    const ordered: readonly string[] = addOrder;
    return [...[...this.subscriptions.keys()].filter((typeUrl) => !ordered.includes(typeUrl)), ...ordered];
  }

  #removeAll(snapshot: Snapshot): boolean {
    if (!this.#waitOver && this.#busy(snapshot, "add")) return false;
    for (const typeUrl of removeOrder) {
      this.#send(typeUrl, snapshot, "remove");
      if (!this.#waitOver && this.subscriptions.get(typeUrl)?.waiting) return false;
    }
    return true;
  }

  #busy(snapshot: Snapshot, phase: Phase): boolean {
    for (const [typeUrl, subscription] of this.subscriptions) {
      if (subscription.waiting || subscription.hasWork(this.#resources(snapshot, typeUrl), phase)) return true;
    }
    return false;
  }

  #send(typeUrl: string, snapshot: Snapshot, phase: Phase): void {
    const subscription = this.subscriptions.get(typeUrl);
    const push = subscription?.next(this.#resources(snapshot, typeUrl), phase, this.#options.responseBytes);
    if (!push) return;
    this.#write(typeUrl, push);
    this.#heartbeats?.told(typeUrl, push.resources);
    this.#options.events.pushed?.(this, typeUrl, push);
    this.#followUp(typeUrl, push.fresh, snapshot);
  }

  #write(typeUrl: string, push: Push): void {
    this.#options.write(typeUrl, push, this.snapshot?.revision ?? 0);
    this.sentAt.set(typeUrl, this.#options.clock.now());
  }

  /**
   * Envoy warms a changed cluster anew and waits for its load assignment, a changed route configuration for its virtual hosts;
   * a name or wildcard it has already subscribed to is not subscribed to again. So what depends is sent again behind it.
   * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-warming
   */
  #followUp(typeUrl: string, fresh: readonly Resource[], snapshot: Snapshot): void {
    if (typeUrl === TypeUrl.cluster && fresh.length > 0) this.#expected.push({ clusters: fresh, next: 0 });
    const [endpoints, hosts] = [TypeUrl.endpoint, TypeUrl.virtualHost].map((type) => this.subscriptions.get(type));
    if (!endpoints?.opened && !hosts?.opened) return;
    for (const { requires = [] } of fresh) {
      for (const { typeUrl, name } of requires) {
        if (typeUrl === TypeUrl.endpoint) endpoints?.want(name);
        else if (typeUrl === TypeUrl.virtualHost && hosts?.opened) {
          for (const full of this.#resources(snapshot, typeUrl).keys()) if (full.startsWith(name)) hosts.want(full);
        }
      }
    }
  }

  /**
   * Routes must not point at a cluster that still warms. Envoy answers an update of clusters only when they are warm,
   * so endpoints may not wait for that answer, but listeners and routes do.
   */
  #clustersPending(snapshot: Snapshot): boolean {
    const endpoints = this.#resources(snapshot, TypeUrl.endpoint);
    const subscription = this.subscriptions.get(TypeUrl.endpoint);
    const clusters = this.subscriptions.get(TypeUrl.cluster);
    if (clusters?.waiting) return true;
    for (const expected of this.#expected) {
      for (; expected.next < expected.clusters.length; expected.next++) {
        const { name: cluster, requires = [] } = expected.clusters[expected.next] as Resource;
        const isUsed = clusters?.wildcard && clusters.holds(cluster) && !clusters.refused(cluster);
        for (const { typeUrl, name } of isUsed ? requires : []) {
          const resource = typeUrl === TypeUrl.endpoint ? endpoints.get(name) : undefined;
          if (resource && !(subscription?.covers(name) && subscription.answered(resource))) return true;
        }
      }
    }
    this.#expected = [];
    return false;
  }

  #startWait(): void {
    this.#wait = this.#options.clock.setTimeout(() => {
      this.#wait = undefined;
      this.#waitOver = true;
      this.#expected = [];
      this.#pump();
      this.#waitOver = false;
    }, this.#options.orderWaitMs);
  }

  #reportSettled(snapshot: Snapshot): void {
    if (this.subscriptions.size === 0 || snapshot.revision <= this.#settledRevision) return;
    if (this.#busy(snapshot, "add") || this.#busy(snapshot, "remove")) return;
    this.#settledRevision = snapshot.revision;
    this.#options.events.settled?.(this, snapshot.revision);
  }
}

/** With what stands for names that are not there, for clients that cannot be told so. */
function withAbsent(map: ResourceMap, names: readonly string[], kind: AnyKind): ResourceMap {
  const added = new Map(names.flatMap((name) => (kind.absent ? [[name, kind.absent(name)] as const] : [])));
  return new Map([...map, ...encodeAll(kind, added as Parameters<typeof encodeAll>[1])]);
}
