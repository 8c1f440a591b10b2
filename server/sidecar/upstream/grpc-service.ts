import type { GrpcService } from "../../gen/proto/envoy/config/core/v3/grpc_service_pb.js";
import { at, each } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { toWire } from "../http/headers.ts";

/** Whom a filter asks over gRPC. */
export interface GrpcTarget {
  readonly cluster: string;
  readonly authority: string;
  /** Flat, for every call. */
  readonly metadata: readonly string[];
  /** 0: no limit. */
  readonly timeoutMs: number;
  /** Of an answer. */
  readonly maxBytes: number;
}

/** @param defaultMs where the service says no timeout. Throws an Error naming the field. */
export function compileGrpcService(service: GrpcService | undefined, defaultMs: number): GrpcTarget {
  const target = service?.targetSpecifier;
  if (target?.case !== "envoyGrpc") throw new Error("envoy_grpc: required");
  const { clusterName, authority, maxReceiveMessageLength } = target.value;
  if (clusterName === "") throw new Error("envoy_grpc.cluster_name: required");
  const metadata = each("initial_metadata", service?.initialMetadata ?? [], ({ key, value }) =>
    at("value", () => {
      if (value.includes("%")) throw new Error("is not computed here: % is not supported");
      return [key.toLowerCase(), toWire(value)];
    }),
  );
  return {
    cluster: clusterName,
    authority: toWire(authority === "" ? clusterName : authority),
    metadata: metadata.flat(),
    timeoutMs: durationMs(service?.timeout) ?? defaultMs,
    maxBytes: maxReceiveMessageLength ?? defaultMaxBytes,
  };
}

const defaultMaxBytes = 4 * 1024 * 1024;

/** Fields of these messages with an effect. */
export const grpcServiceFields = {
  "envoy.config.core.v3.GrpcService": ["envoy_grpc", "timeout", "initial_metadata"],
  "envoy.config.core.v3.GrpcService.EnvoyGrpc": [
    "cluster_name",
    "authority",
    "max_receive_message_length",
    // harmless: none are sent
    "skip_envoy_headers",
  ],
} as const;
