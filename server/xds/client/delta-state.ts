import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { formatRefusals } from "../nack.ts";
import { kindOf } from "../resource-kinds.ts";
import { healthInformation, type TypeUrl } from "../types.ts";

export interface ReceivedResource {
  name: string;
  version: string;
  /** The message's binary form. */
  value: Uint8Array;
}

export interface ResourceUpdate {
  added: ReceivedResource[];
  /** Names that are gone, or (by-name types) don't exist. */
  removed: string[];
  /** Nothing of this type was held before: `added` is where the client starts from. */
  full: boolean;
}

/** Applies an update at once; returns each refused resource with the reason. An empty map acknowledges. */
export interface ResourceHandler {
  apply(update: ResourceUpdate): ReadonlyMap<string, string>;
}

export type ResourceHandlers = Partial<Record<TypeUrl, ResourceHandler>>;

interface TypeState {
  wildcard: boolean;
  names: Set<string>;
  /** Name → version of what was accepted; kept over reconnects, so that nothing unchanged is sent twice. */
  held: Map<string, string>;
  /** When what has a time is dropped, unless it is heard of before: milliseconds of a clock that runs evenly. */
  expiries: Map<string, number>;
  /** The type's first request on this stream is out. */
  opened: boolean;
}

/**
 * The client's side of the incremental protocol, without I/O: every method returns the requests to send.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
export class DeltaState {
  readonly #node: Node;
  readonly #handlers: ResourceHandlers;
  readonly #types = new Map<string, TypeState>();
  #streaming = false;
  #nodeSent = false;
  /** What the workload was found to be last. */
  #health: { problem: string | undefined } | undefined;

  constructor(node: Node, handlers: ResourceHandlers) {
    this.#node = node;
    this.#handlers = handlers;
  }

  /** A new stream: every subscription again, with what is already held. */
  open(): DeltaDiscoveryRequest[] {
    this.#streaming = true;
    this.#nodeSent = false;
    for (const state of this.#types.values()) state.opened = false;
    const first = [...this.#types].flatMap(([typeUrl, state]) => this.#firstRequest(typeUrl, state));
    return this.#health === undefined ? first : [...first, this.#healthRequest(this.#health)];
  }

  /** Kept for the streams to come. */
  reportHealth(problem: string | undefined): DeltaDiscoveryRequest[] {
    this.#health = { problem };
    return this.#streaming ? [this.#healthRequest(this.#health)] : [];
  }

  #healthRequest({ problem }: { problem: string | undefined }): DeltaDiscoveryRequest {
    const errorDetail = problem === undefined ? {} : { errorDetail: { code: internal, message: problem } };
    return this.#request({ typeUrl: healthInformation, ...errorDetail });
  }

  close(): void {
    this.#streaming = false;
  }

  subscribe(typeUrl: string, names: Iterable<string> | "*"): DeltaDiscoveryRequest[] {
    const state = this.#stateOf(typeUrl);
    const wanted = names === "*" ? ["*"] : [...names];
    const fresh = wanted.filter((name) => (name === "*" ? !state.wildcard : !state.names.has(name)));
    if (fresh.length === 0) return [];
    for (const name of fresh) {
      if (name === "*") state.wildcard = true;
      else state.names.add(name);
    }
    if (!this.#streaming) return [];
    if (!state.opened) return this.#firstRequest(typeUrl, state);
    return [this.#request({ typeUrl, resourceNamesSubscribe: fresh })];
  }

  /** Held resources of those names are forgotten, the handler is not told: its caller knows. */
  unsubscribe(typeUrl: string, names: Iterable<string>): DeltaDiscoveryRequest[] {
    const state = this.#stateOf(typeUrl);
    const gone = [...names].filter((name) => state.names.delete(name));
    if (!state.wildcard) for (const name of gone) forget(state, name);
    if (gone.length === 0 || !this.#streaming || !state.opened) return [];
    return [this.#request({ typeUrl, resourceNamesUnsubscribe: gone })];
  }

  held(typeUrl: string): ReadonlyMap<string, string> {
    return this.#types.get(typeUrl)?.held ?? new Map();
  }

  /** When the next resource's time is over. */
  get nextExpiry(): number | undefined {
    const all = [...this.#types.values()].flatMap(({ expiries }) => [...expiries.values()]);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** Drops what was not heard of in its time, as if the server had removed it. It stays subscribed, and is asked for anew with the next stream. */
  expire(now: number): void {
    for (const [typeUrl, state] of this.#types) {
      const removed = [...state.expiries].filter(([, at]) => at <= now).map(([name]) => name);
      const handler = this.#handlers[typeUrl as TypeUrl];
      if (removed.length === 0 || !handler) continue;
      for (const name of removed) forget(state, name);
      this.#callHandler(handler, { added: [], removed, full: false });
    }
  }

  /** Applies a response and answers it. Requests that the handler's own subscriptions cause are returned by those calls. */
  receive(response: DeltaDiscoveryResponse, now: number): DeltaDiscoveryRequest[] {
    const { typeUrl, nonce: responseNonce } = response;
    const state = this.#types.get(typeUrl);
    const handler = this.#handlers[typeUrl as TypeUrl];
    if (!state || !handler) return []; // never asked for: nothing to acknowledge
    const errors = this.#apply(state, handler, response, now);
    if (errors.size === 0) return [this.#request({ typeUrl, responseNonce })];
    const message = formatRefusals(kindOf(typeUrl)?.noun ?? "resource", errors);
    return [this.#request({ typeUrl, responseNonce, errorDetail: { code: invalidArgument, message } })];
  }

  #apply(
    state: TypeState,
    handler: ResourceHandler,
    response: DeltaDiscoveryResponse,
    now: number,
  ): ReadonlyMap<string, string> {
    const errors = new Map<string, string>();
    const added: ReceivedResource[] = [];
    for (const { name, version, resource } of response.resources) {
      if (!state.wildcard && !state.names.has(name)) continue; // crossed with our unsubscribe
      if (!resource) {
        const held = state.held.get(name);
        if (held !== version)
          errors.set(name, `is said to stand in version ${version}, ${held ? `but ${held}` : "but none"} is held`);
        continue;
      }
      if (resource.typeUrl !== response.typeUrl) {
        errors.set(name, `is a ${resource.typeUrl}, expected ${response.typeUrl}`);
      } else {
        added.push({ name, version, value: resource.value });
      }
    }
    const removed = response.removedResources;
    // One that only says what still stands is nobody else's business.
    if (added.length + removed.length > 0 || response.resources.every(({ resource }) => resource)) {
      const update = { added, removed, full: state.held.size === 0 };
      for (const [name, reason] of this.#callHandler(handler, update)) errors.set(name, reason);
    }
    for (const { name, version } of added) if (!errors.has(name)) state.held.set(name, version);
    for (const name of removed) if (!errors.has(name)) forget(state, name);
    for (const { name, ttl } of response.resources) {
      if (errors.has(name) || !state.held.has(name)) continue;
      if (ttl) state.expiries.set(name, now + durationMs(ttl));
      else state.expiries.delete(name);
    }
    return errors;
  }

  /** A handler that throws has refused the whole update: the stream must outlive its bugs. */
  #callHandler(handler: ResourceHandler, update: ResourceUpdate): ReadonlyMap<string, string> {
    try {
      return handler.apply(update);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const names = [...update.added.map((resource) => resource.name), ...update.removed];
      return new Map(names.map((name) => [name, reason]));
    }
  }

  #firstRequest(typeUrl: string, state: TypeState): DeltaDiscoveryRequest[] {
    if (!state.wildcard && state.names.size === 0) return [];
    state.opened = true;
    return [
      this.#request({
        typeUrl,
        // An empty first list is the wildcard that every server knows; `*` is needed only beside names.
        resourceNamesSubscribe: state.wildcard && state.names.size > 0 ? ["*", ...state.names] : [...state.names],
        initialResourceVersions: Object.fromEntries(state.held),
      }),
    ];
  }

  /** The node goes out once per stream, in its first request. */
  #request(init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): DeltaDiscoveryRequest {
    const request = create(DeltaDiscoveryRequestSchema, init);
    if (!this.#nodeSent) request.node = this.#node;
    this.#nodeSent = true;
    return request;
  }

  #stateOf(typeUrl: string): TypeState {
    const known = this.#types.get(typeUrl);
    if (known) return known;
    const state: TypeState = { wildcard: false, names: new Set(), held: new Map(), expiries: new Map(), opened: false };
    this.#types.set(typeUrl, state);
    return state;
  }
}

function forget(state: TypeState, name: string): void {
  state.held.delete(name);
  state.expiries.delete(name);
}

/** google.rpc.Code.INVALID_ARGUMENT */
const invalidArgument = 3;
/** google.rpc.Code.INTERNAL, as Istio's agent has it */
const internal = 13;
