import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type { Node } from "../../server/gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../../server/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { ResourceHandlers } from "../../server/xds/client/delta-state.ts";
import { versionOf } from "../../server/xds/encode.ts";
import { formatRefusals } from "../../server/xds/nack.ts";
import { kindOf } from "../../server/xds/resource-kinds.ts";
import type { TypeUrl } from "../../server/xds/types.ts";

interface TypeState {
  wildcard: boolean;
  readonly names: Set<string>;
  /** Name → version, by the content: the protocol has one for all. */
  readonly held: Map<string, string>;
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
      state.held.delete(name);
    }
    // Without a name it would ask for everything; so does Envoy close the stream's watch.
    return this.#isOpen && state.names.size > 0 ? [this.#request(typeUrl, state)] : [];
  }

  receive({ typeUrl, nonce, versionInfo, resources }: DiscoveryResponse): DiscoveryRequest[] {
    const state = this.#types.get(typeUrl);
    const [handler, kind] = [this.#handlers[typeUrl as TypeUrl], kindOf(typeUrl)];
    if (!state || !handler || !kind) return [];
    state.nonce = nonce;
    const added = resources
      .map(({ value }) => ({ name: nameOf(fromBinary(kind.schema, value)), version: versionOf(value), value }))
      .filter(({ name }) => state.wildcard || state.names.has(name));
    const there = new Set(added.map(({ name }) => name));
    const removed = kind.wholeState ? [...state.held.keys()].filter((name) => !there.has(name)) : [];
    const errors = handler.apply({ added, removed, full: state.held.size === 0 });
    for (const { name, version } of added) if (!errors.has(name)) state.held.set(name, version);
    for (const name of removed) state.held.delete(name);
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
    const state: TypeState = { wildcard: false, names: new Set(), held: new Map(), version: "", nonce: "" };
    this.#types.set(typeUrl, state);
    return state;
  }
}

/** A load assignment is named by its cluster, everything else by itself. */
function nameOf(message: object): string {
  const { name, clusterName } = message as { name?: string; clusterName?: string };
  return name ?? clusterName ?? "";
}
