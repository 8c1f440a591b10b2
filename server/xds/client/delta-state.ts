import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { formatRefusals } from "../nack.ts";
import { kindOf } from "../resource-kinds.ts";
import type { TypeUrl } from "../types.ts";

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

  constructor(node: Node, handlers: ResourceHandlers) {
    this.#node = node;
    this.#handlers = handlers;
  }

  /** A new stream: every subscription again, with what is already held. */
  open(): DeltaDiscoveryRequest[] {
    this.#streaming = true;
    this.#nodeSent = false;
    for (const state of this.#types.values()) state.opened = false;
    return [...this.#types].flatMap(([typeUrl, state]) => this.#firstRequest(typeUrl, state));
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
    if (!state.wildcard) for (const name of gone) state.held.delete(name);
    if (gone.length === 0 || !this.#streaming || !state.opened) return [];
    return [this.#request({ typeUrl, resourceNamesUnsubscribe: gone })];
  }

  held(typeUrl: string): ReadonlyMap<string, string> {
    return this.#types.get(typeUrl)?.held ?? new Map();
  }

  /** Applies a response and answers it. Requests that the handler's own subscriptions cause are returned by those calls. */
  receive(response: DeltaDiscoveryResponse): DeltaDiscoveryRequest[] {
    const { typeUrl, nonce: responseNonce } = response;
    const state = this.#types.get(typeUrl);
    const handler = this.#handlers[typeUrl as TypeUrl];
    if (!state || !handler) return []; // never asked for: nothing to acknowledge
    const errors = this.#apply(state, handler, response);
    if (errors.size === 0) return [this.#request({ typeUrl, responseNonce })];
    const message = formatRefusals(kindOf(typeUrl)?.noun ?? "resource", errors);
    return [this.#request({ typeUrl, responseNonce, errorDetail: { code: invalidArgument, message } })];
  }

  #apply(state: TypeState, handler: ResourceHandler, response: DeltaDiscoveryResponse): ReadonlyMap<string, string> {
    const errors = new Map<string, string>();
    const added: ReceivedResource[] = [];
    for (const { name, version, resource } of response.resources) {
      if (!state.wildcard && !state.names.has(name)) continue; // crossed with our unsubscribe
      if (!resource) continue; // a TTL heartbeat carries no content
      if (resource.typeUrl !== response.typeUrl) {
        errors.set(name, `is a ${resource.typeUrl}, expected ${response.typeUrl}`);
      } else {
        added.push({ name, version, value: resource.value });
      }
    }
    const removed = response.removedResources;
    for (const [name, reason] of this.#callHandler(handler, { added, removed, full: state.held.size === 0 })) {
      errors.set(name, reason);
    }
    for (const { name, version } of added) if (!errors.has(name)) state.held.set(name, version);
    for (const name of removed) if (!errors.has(name)) state.held.delete(name);
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
    const state: TypeState = { wildcard: false, names: new Set(), held: new Map(), opened: false };
    this.#types.set(typeUrl, state);
    return state;
  }
}

/** google.rpc.Code.INVALID_ARGUMENT */
const invalidArgument = 3;
