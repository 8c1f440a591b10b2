import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ResourceSchema } from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Resource } from "./types.ts";

export const wrapperTypeUrl = "type.googleapis.com/envoy.service.discovery.v3.Resource";

/**
 * An `envoy.service.discovery.v3.Resource` with a time; without a body it is a heartbeat, which says that the version still stands.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ttl
 */
export function encodeTimed(typeUrl: string, { name, version, value, ttlMs = 0 }: Resource, body: boolean) {
  return toBinary(
    ResourceSchema,
    create(ResourceSchema, {
      name,
      version,
      ttl: durationFromMs(ttlMs),
      ...(body && { resource: { typeUrl, value } }),
    }),
  );
}
