import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { HeaderValueOption_HeaderAppendAction } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { HeaderMutationSchema } from "../gen/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { MeshProxy } from "../model/proxy.ts";
import { peerHeader } from "../wire/peer.ts";
import { workloadId } from "./metadata.ts";

/** Whatever the application or an outside client put there is replaced. */
export const peerFilter = (proxy: MeshProxy, clusterId: string): MessageInitShape<typeof HttpFilterSchema> => ({
  name: "envoy.filters.http.header_mutation",
  configType: {
    case: "typedConfig",
    value: anyPack(
      HeaderMutationSchema,
      create(HeaderMutationSchema, {
        mutations: {
          requestMutations: [
            {
              action: {
                case: "append",
                value: {
                  header: { key: peerHeader, value: workloadId(proxy, clusterId) },
                  appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
                },
              },
            },
          ],
        },
      }),
    ),
  },
});
