import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, durationMs } from "@bufbuild/protobuf/wkt";
import type { Node } from "../../server/gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  ResourceSchema,
} from "../../server/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { ResourceHandlers } from "../../server/xds/client/delta-state.ts";
import { versionOf } from "../../server/xds/encode.ts";
import { formatRefusals } from "../../server/xds/nack.ts";
import { kindOf } from "../../server/xds/resource-kinds.ts";
import { wrapperTypeUrl } from "../../server/xds/timed-resource.ts";
import type { TypeUrl } from "../../server/xds/types.ts";

interface TypeState {
  wildcard: boolean;
  readonly names: Set<string>;
  /** Name → version, by the content: the protocol has one for all. */
  readonly held: Map<string, string>;
  /** When what has a time is dropped, unless it comes again. */
  readonly expiries: Map<string, number>;
  /** Of the last response that was accepted. */
  version: string;
  nonce: string;
}

/** What an Envoy on the state-of-the-world protocol holds and says, without I/O: as `DeltaState` for the other protocol. */
export class SotwState {
  readonly #node: Node;
  readonly #handlers: ResourceHandlers;
  readonly #types = new Map<string, TypeState>();
  #isOpen = false;
  #nodeSent = false;

  constructor(node: Node, handlers: ResourceHandlers) {
    this.#node = node;
    this.#handlers = handlers;
  }

  held(typeUrl: TypeUrl): ReadonlyMap<string, string> {
    return this.#stateOf(typeUrl).held;
  }

  open(): DiscoveryRequest[] {
    this.#isOpen = true;
    this.#nodeSent = false;
    return [...this.#types].flatMap(([typeUrl, state]) => {
      state.nonce = "";
      return state.wildcard || state.names.size > 0 ? [this.#request(typeUrl, state)] : [];
    });
  }

  close(): void {
    this.#isOpen = false;
  }

  subscribe(typeUrl: TypeUrl, names: Iterable<string> | "*"): DiscoveryRequest[] {
    const state = this.#stateOf(typeUrl);
    if (names === "*") state.wildcard = true;
    else for (const name of names) state.names.add(name);
    return this.#isOpen ? [this.#request(typeUrl, state)] : [];
  }

  unsubscribe(typeUrl: TypeUrl, names: Iterable<string>): DiscoveryRequest[] {
    const state = this.#stateOf(typeUrl);
    for (const name of names) {
      state.names.delete(name);
      forget(state, name);
    }
    // Where no names mean everything, a list of none can't be said.
    const isSayable = state.names.size > 0 || kindOf(typeUrl)?.wildcardByDefault !== true;
    return this.#isOpen && isSayable ? [this.#request(typeUrl, state)] : [];
  }

  expire(now: number): void {
    for (const state of this.#types.values())
      for (const [name, at] of state.expiries) if (at <= now) forget(state, name);
  }

  receive({ typeUrl, nonce, versionInfo, resources }: DiscoveryResponse, now: number): DiscoveryRequest[] {
    const state = this.#types.get(typeUrl);
    const [handler, kind] = [this.#handlers[typeUrl as TypeUrl], kindOf(typeUrl)];
    if (!state || !handler || !kind) return [];
    state.nonce = nonce;
    const added = resources
      .map(unwrapped)
      .map(({ value, ttlMs }) => ({
        name: nameOf(fromBinary(kind.schema, value)),
        version: versionOf(value),
        value,
        ttlMs,
      }))
      .filter(({ name }) => state.wildcard || state.names.has(name));
    const there = new Set(added.map(({ name }) => name));
    const removed = kind.wholeState ? [...state.held.keys()].filter((name) => !there.has(name)) : [];
    const errors = handler.apply({ added, removed, full: state.held.size === 0 });
    for (const { name, version, ttlMs } of added) {
      if (errors.has(name)) continue;
      state.held.set(name, version);
      if (ttlMs === undefined) state.expiries.delete(name);
      else state.expiries.set(name, now + ttlMs);
    }
    for (const name of removed) forget(state, name);
    if (errors.size === 0) state.version = versionInfo;
    const errorDetail = errors.size > 0 ? { code: 3, message: formatRefusals(kind.noun, errors) } : undefined;
    return [this.#request(typeUrl, state, { errorDetail })];
  }

  #request(
    typeUrl: string,
    { wildcard, names, version, nonce }: TypeState,
    more: MessageInitShape<typeof DiscoveryRequestSchema> = {},
  ): DiscoveryRequest {
    const resourceNames = wildcard ? [] : [...names];
    const said = { typeUrl, resourceNames, versionInfo: version, responseNonce: nonce, ...more };
    const request = create(DiscoveryRequestSchema, said);
    if (!this.#nodeSent) request.node = this.#node;
    this.#nodeSent = true;
    return request;
  }

  #stateOf(typeUrl: string): TypeState {
    const known = this.#types.get(typeUrl);
    if (known) return known;
    const state: TypeState = {
      wildcard: false,
      names: new Set(),
      held: new Map(),
      expiries: new Map(),
      version: "",
      nonce: "",
    };
    this.#types.set(typeUrl, state);
    return state;
  }
}

function forget(state: TypeState, name: string): void {
  state.held.delete(name);
  state.expiries.delete(name);
}

/** What has a time comes within a resource that says so. */
function unwrapped({ typeUrl, value }: Any): { value: Uint8Array; ttlMs: number | undefined } {
  if (typeUrl !== wrapperTypeUrl) return { value, ttlMs: undefined };
  const { resource, ttl } = fromBinary(ResourceSchema, value);
  return { value: resource?.value ?? new Uint8Array(), ttlMs: ttl && durationMs(ttl) };
}

/** A load assignment is named by its cluster, everything else by itself. */
function nameOf(message: object): string {
  const { name, clusterName } = message as { name?: string; clusterName?: string };
  return name ?? clusterName ?? "";
}
