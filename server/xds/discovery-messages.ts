import { fromBinary } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Protocol, SubscriptionRequest } from "./exchange.ts";
import { shownReason } from "./redact.ts";
import { RequestError } from "./request-error.ts";

export type Request = DeltaDiscoveryRequest | DiscoveryRequest;

/** Throws `RequestError` for what is none. */
export function decodeRequest(protocol: Protocol, bytes: Uint8Array): Request {
  try {
    return protocol === "delta"
      ? fromBinary(DeltaDiscoveryRequestSchema, bytes)
      : fromBinary(DiscoveryRequestSchema, bytes);
  } catch (error) {
    throw new RequestError(`the discovery request can't be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** What a request of either protocol asks for. Throws `RequestError` for more names than `maxNames`. */
export function subscriptionRequest(request: Request, typeUrl: string, maxNames: number): SubscriptionRequest {
  const delta = "resourceNamesSubscribe" in request;
  const subscribe = delta ? request.resourceNamesSubscribe : request.resourceNames;
  const unsubscribe = delta ? request.resourceNamesUnsubscribe : [];
  if (subscribe.length + unsubscribe.length > maxNames) {
    throw new RequestError(`more than ${maxNames} resource names in one request`);
  }
  return {
    subscribe,
    unsubscribe,
    initialVersions: delta ? request.initialResourceVersions : undefined,
    versionInfo: delta ? undefined : request.versionInfo,
    responseNonce: request.responseNonce,
    error: request.errorDetail && shownReason(typeUrl, request.errorDetail.message || "refused without a reason"),
  };
}
