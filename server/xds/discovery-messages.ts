import { create } from "@bufbuild/protobuf";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { shownReason } from "./redact.ts";
import { RequestError } from "./request-error.ts";

export type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
export type SotwCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;
export type Call = DeltaCall | SotwCall;
export type Request = DeltaDiscoveryRequest | DiscoveryRequest;

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

export function writePush(call: Call, protocol: Protocol, typeUrl: string, push: Push, revision: number): void {
  const any = (value: Uint8Array) => ({ typeUrl, value });
  const { nonce } = push;
  const controlPlane = { identifier: "limpid" };
  if (protocol === "delta") {
    (call as DeltaCall).write(
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce,
        controlPlane,
        systemVersionInfo: String(revision),
        resources: push.resources.map(({ name, version, value }) => ({ name, version, resource: any(value) })),
        removedResources: [...push.removed],
      }),
    );
  } else {
    const resources = push.resources.map(({ value }) => any(value));
    (call as SotwCall).write(
      create(DiscoveryResponseSchema, { typeUrl, nonce, controlPlane, versionInfo: push.version, resources }),
    );
  }
}
