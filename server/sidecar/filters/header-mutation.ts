import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { HeaderMutation } from "../../gen/proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js";
import {
  HeaderMutationPerRouteSchema,
  HeaderMutationSchema,
  type Mutations,
} from "../../gen/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js";
import { each } from "../config/problems.ts";
import type { FilterFactory } from "../request/filter.ts";
import { applyHeaderOps, compileAdd, compileRemove, type HeaderOp } from "../route/header-ops.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/header_mutation_filter */
export const headerMutationFilter: FilterFactory = {
  schema: HeaderMutationSchema,
  perRouteSchema: HeaderMutationPerRouteSchema,
  fields: {
    [HeaderMutationSchema.typeName]: ["mutations"],
    [HeaderMutationPerRouteSchema.typeName]: ["mutations"],
    "envoy.extensions.filters.http.header_mutation.v3.Mutations": ["request_mutations", "response_mutations"],
    "envoy.config.common.mutation_rules.v3.HeaderMutation": ["remove", "append"],
  },
  compile(name, config) {
    const mutations = compileMutations(anyUnpack(config, HeaderMutationSchema)?.mutations);
    return {
      name,
      onRequest(request) {
        applyHeaderOps(mutations.request, request.headers, request.record);
        const own = request.perFilter<CompiledMutations>(name);
        if (own !== undefined) applyHeaderOps(own.request, request.headers, request.record);
        return "go";
      },
      onResponse(request) {
        applyHeaderOps(mutations.response, request.responseHeaders, request.record);
        const own = request.perFilter<CompiledMutations>(name);
        if (own !== undefined) applyHeaderOps(own.response, request.responseHeaders, request.record);
        return "go";
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
  request: each("mutations.request_mutations", mutations?.requestMutations ?? [], compileMutation),
  response: each("mutations.response_mutations", mutations?.responseMutations ?? [], compileMutation),
});

function compileMutation(mutation: HeaderMutation): HeaderOp {
  switch (mutation.action.case) {
    case "append":
      return compileAdd(mutation.action.value);
    case "remove":
      return compileRemove(mutation.action.value);
    default:
      throw new Error("action: required");
  }
}
