import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { sendUnaryData } from "@grpc/grpc-js";
import { ClusterDiscoveryService } from "../gen/proto/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { EndpointDiscoveryService } from "../gen/proto/envoy/service/endpoint/v3/eds_pb.js";
import { ExtensionConfigDiscoveryService } from "../gen/proto/envoy/service/extension/v3/config_discovery_pb.js";
import { ListenerDiscoveryService } from "../gen/proto/envoy/service/listener/v3/lds_pb.js";
import { RouteDiscoveryService, VirtualHostDiscoveryService } from "../gen/proto/envoy/service/route/v3/rds_pb.js";
import { RuntimeDiscoveryService } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import type { Method } from "../grpc/method.ts";
import type { GrpcServer } from "../grpc/server.ts";
import type { DuplexCall, SingleCall } from "../lib/grpc.ts";
import type { EncodedResponse } from "./encoded-response.ts";
import type { Protocol } from "./exchange.ts";
import { TypeUrl } from "./types.ts";

/** A stream of discovery requests as they came, and of responses as they go out. */
export type Call = DuplexCall<Buffer, EncodedResponse>;
export type FetchHandler = (call: SingleCall<Buffer>, callback: sendUnaryData<EncodedResponse>) => void;

export interface DiscoveryHandlers {
  /** `onlyType`: the service is of one type. */
  stream(call: Call, protocol: Protocol, onlyType?: TypeUrl): void;
  fetch(onlyType: TypeUrl): FetchHandler;
}

/** Each type has a service of its own, with a stream for either protocol and a unary call; ADS has them all. */
const services: readonly (readonly [DescService, TypeUrl?])[] = [
  [AggregatedDiscoveryService],
  [ListenerDiscoveryService, TypeUrl.listener],
  [RouteDiscoveryService, TypeUrl.route],
  [VirtualHostDiscoveryService, TypeUrl.virtualHost],
  [ClusterDiscoveryService, TypeUrl.cluster],
  [EndpointDiscoveryService, TypeUrl.endpoint],
  [SecretDiscoveryService, TypeUrl.secret],
  [RuntimeDiscoveryService, TypeUrl.runtime],
  [ExtensionConfigDiscoveryService, TypeUrl.extensionConfig],
];

export const discoveryServices: readonly DescService[] = services.map(([service]) => service);

export function addDiscoveryServices(server: GrpcServer, handlers: DiscoveryHandlers): void {
  for (const [service, onlyType] of services) {
    for (const method of service.methods) {
      const handler = handlerOf(method, handlers, onlyType);
      if (!handler) continue;
      const path = `/${service.typeName}/${method.name}`;
      server.handle({ path, ...asBytes, borrowsRequests: handler.kind === "bidi", handler });
    }
  }
}

/** Requests are decoded when it is their turn, responses come encoded. */
const asBytes = {
  decode: (bytes: Buffer) => bytes,
  encode: (response: EncodedResponse) => response.parts,
};

function handlerOf(
  { localName, methodKind }: DescMethod,
  handlers: DiscoveryHandlers,
  onlyType: TypeUrl | undefined,
): Method<Buffer, EncodedResponse>["handler"] | undefined {
  if (methodKind === "unary") return onlyType && { kind: "unary", handle: handlers.fetch(onlyType) };
  const protocol = localName.startsWith("delta") ? "delta" : "sotw";
  return { kind: "bidi", handle: (call) => handlers.stream(call, protocol, onlyType) };
}
