import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { HeaderMutation } from "../../gen/proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  type Mutations,
} from "../../gen/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { applyHeaderOps, compileAdd, compileRemove, type HeaderOp } from "../route/header-ops.ts";
import type { FilterFactory } from "./filter.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/header_mutation_filter */
export const headerMutationFilter: FilterFactory = {
  typeName: HeaderMutationSchema.typeName,
  perRouteTypeName: HeaderMutationPerRouteSchema.typeName,
  compile(name, config) {
    const { request, response } = compileMutations(anyUnpack(config, HeaderMutationSchema)?.mutations);
    return {
      name,
      onRequest(exchange) {
        applyHeaderOps(request, exchange.headers, exchange.record);
        const own = exchange.perFilter(name) as CompiledMutations | undefined;
        if (own !== undefined) applyHeaderOps(own.request, exchange.headers, exchange.record);
        return true;
      },
      onResponse(exchange) {
        applyHeaderOps(response, exchange.responseHeaders, exchange.record);
        const own = exchange.perFilter(name) as CompiledMutations | undefined;
        if (own !== undefined) applyHeaderOps(own.response, exchange.responseHeaders, exchange.record);
      },
    };
  },
  compilePerRoute: (config: Any) => compileMutations(anyUnpack(config, HeaderMutationPerRouteSchema)?.mutations),
};

interface CompiledMutations {
  readonly request: readonly HeaderOp[];
  readonly response: readonly HeaderOp[];
}

const compileMutations = (mutations: Mutations | undefined): CompiledMutations => ({
  request: (mutations?.requestMutations ?? []).map(compileMutation),
  response: (mutations?.responseMutations ?? []).map(compileMutation),
});

function compileMutation(mutation: HeaderMutation): HeaderOp {
  switch (mutation.action.case) {
    case "append":
      return compileAdd(mutation.action.value);
    case "remove":
      return compileRemove(mutation.action.value);
    default:
      throw new Error("mutations: action is required");
  }
}
