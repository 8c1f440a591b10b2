import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOption,
} from "../../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { GrpcService } from "../../../gen/proto/envoy/config/core/v3/grpc_service_pb.js";
import {
  Authorization,
  type CheckResponse,
  type DeniedHttpResponse,
} from "../../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { toWire } from "../../http/headers.ts";
import { GrpcFailure, grpcCall } from "../../upstream/grpc-call.ts";
import { compileGrpcService } from "../../upstream/grpc-service.ts";
import { type CheckOptions, checkRequest } from "./check-request.ts";
import type { Ask } from "./service.ts";
import { type Change, noVerdict, type Verdict } from "./verdict.ts";

/** Asks with a CheckRequest. Throws an Error naming the field. */
export function compileCheckService(service: GrpcService, options: CheckOptions): Ask {
  const target = compileGrpcService(service, defaultTimeoutMs);
  return (question, { clusters, random }, done) =>
    grpcCall(clusters, target, Authorization.method.check, checkRequest(question, options, random), (answer) =>
      done(answer instanceof GrpcFailure ? noVerdict : verdictOf(answer)),
    );
}

/** Envoy's. */
const defaultTimeoutMs = 200;

function verdictOf({ status, httpResponse, dynamicMetadata }: CheckResponse): Verdict {
  const ok = httpResponse.case === "okResponse" ? httpResponse.value : undefined;
  const metadata = (ok?.dynamicMetadata ?? dynamicMetadata ?? {}) as Record<string, unknown>;
  if ((status?.code ?? 0) === 0) {
    return {
      kind: "allowed",
      // Only the older `append` counts here, as in Envoy.
      request: (ok?.headers ?? []).map((option) => ({
        ...changeOf(option),
        how: option.append === true ? "append" : "set",
      })),
      remove: (ok?.headersToRemove ?? []).map((name) => name.toLowerCase()),
      response: (ok?.responseHeadersToAdd ?? []).map(changeOf),
      parametersToSet: (ok?.queryParametersToSet ?? []).map(({ key, value }) => [toWire(key), toWire(value)]),
      parametersToRemove: (ok?.queryParametersToRemove ?? []).map(toWire),
      metadata,
    };
  }
  if (httpResponse.case === "errorResponse") return { kind: "failed", ...said(httpResponse.value) };
  const denied = said(httpResponse.case === "deniedResponse" ? httpResponse.value : undefined);
  return { kind: "denied", metadata, ...denied, status: denied.status ?? 403 };
}

function said(response: DeniedHttpResponse | undefined) {
  return {
    status: response?.status?.code || undefined,
    body: toWire(response?.body ?? ""),
    headers: (response?.headers ?? []).map(changeOf),
  };
}

function changeOf({ header, append, appendAction }: HeaderValueOption): Change {
  const name = (header?.key ?? "").toLowerCase();
  const value = header?.value ? toWire(header.value) : Buffer.from(header?.rawValue ?? []).toString("latin1");
  if (append !== undefined) return { name, value, how: append ? "append" : "set" };
  return { name, value, how: hows[appendAction] ?? "set" };
}

const hows: Record<AppendAction, Change["how"]> = {
  [AppendAction.APPEND_IF_EXISTS_OR_ADD]: "add",
  [AppendAction.ADD_IF_ABSENT]: "add if absent",
  [AppendAction.OVERWRITE_IF_EXISTS_OR_ADD]: "set",
  [AppendAction.OVERWRITE_IF_EXISTS]: "set if there",
};
