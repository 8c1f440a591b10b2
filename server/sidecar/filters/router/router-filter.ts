import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { RouterSchema } from "../../../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import type { SupportedFields, TerminalFilter } from "../../request/filter.ts";
import { Router } from "./router.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter */
export const routerFilter = {
  schema: RouterSchema,
  fields: {
    [RouterSchema.typeName]: [
      "suppress_envoy_headers",
      // harmless: our spans are not split per attempt, dynamic stats are always on
      "start_child_span",
      "dynamic_stats",
    ],
  } satisfies SupportedFields,
  compile(config: Any): TerminalFilter {
    const envoyHeaders = anyUnpack(config, RouterSchema)?.suppressEnvoyHeaders !== true;
    return { envoyHeaders, open: (exchange) => new Router(exchange, envoyHeaders) };
  },
};
