import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { RequestIDExtensionSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { UuidRequestIdConfigSchema } from "../gen/proto/envoy/extensions/request_id/uuid/v3/uuid_pb.js";

/** What a request's id says of sampling does not count. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/request_id/uuid/v3/uuid.proto */
export const requestIds: MessageInitShape<typeof RequestIDExtensionSchema> = {
  typedConfig: anyPack(
    UuidRequestIdConfigSchema,
    create(UuidRequestIdConfigSchema, { useRequestIdForTraceSampling: false }),
  ),
};
