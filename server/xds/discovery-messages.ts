import { fromBinary } from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Protocol, SubscriptionRequest } from "./exchange.ts";
import { LargeRequests } from "./large-requests.ts";
import { shownReason } from "./redact.ts";
import { RequestError } from "./request-error.ts";

export interface Request {
  node: Node | undefined;
  /** That the node has at the most, as it came. */
  nodeBytes: number;
  typeUrl: string;
  subscribe: readonly string[];
  unsubscribe: readonly string[];
  initialVersions: ReadonlyMap<string, string>;
  responseNonce: string;
  /** Why the client refused what it was sent. */
  error: string | undefined;
}

/** Smaller ones are quickly read each by itself. */
const largeBytes = 4 << 10;

const largeRequests = new LargeRequests();

/** Throws `RequestError` for what is none. */
export function decodeRequest(protocol: Protocol, bytes: Uint8Array): Request {
  try {
    if (bytes.length < largeBytes) return decode(protocol, bytes);
    const { rest, node, subscribe, versions } = largeRequests.read(protocol, bytes);
    return {
      ...decode(protocol, rest),
      ...(node && { node: fromBinary(NodeSchema, node), nodeBytes: node.length }),
      subscribe,
      initialVersions: versions,
    };
  } catch (error) {
    throw new RequestError(`the discovery request can't be read: ${error instanceof Error ? error.message : error}`);
  }
}

function decode(protocol: Protocol, bytes: Uint8Array): Request {
  const message =
    protocol === "delta" ? fromBinary(DeltaDiscoveryRequestSchema, bytes) : fromBinary(DiscoveryRequestSchema, bytes);
  const delta = "resourceNamesSubscribe" in message;
  const { node, typeUrl, responseNonce, errorDetail } = message;
  return {
    node,
    nodeBytes: bytes.length,
    typeUrl,
    responseNonce,
    subscribe: delta ? message.resourceNamesSubscribe : message.resourceNames,
    unsubscribe: delta ? message.resourceNamesUnsubscribe : [],
    initialVersions: delta ? versionsOf(message.initialResourceVersions) : none,
    error: errorDetail && (errorDetail.message || "refused without a reason"),
  };
}

const none: ReadonlyMap<string, string> = new Map();

function versionsOf(record: Record<string, string>): ReadonlyMap<string, string> {
  const entries = Object.entries(record);
  return entries.length === 0 ? none : new Map(entries);
}

/** What a request of either protocol asks for. Throws `RequestError` for more names than `maxNames`. */
export function subscriptionRequest(request: Request, typeUrl: string, maxNames: number): SubscriptionRequest {
  const { error, subscribe, unsubscribe } = request;
  if (subscribe.length + unsubscribe.length > maxNames) {
    throw new RequestError(`more than ${maxNames} resource names in one request`);
  }
  return { ...request, error: error && shownReason(typeUrl, error) };
}
