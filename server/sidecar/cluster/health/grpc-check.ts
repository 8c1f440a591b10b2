import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../../gen/proto/grpc/health/v1/health_pb.js";
import { healthCheckerAgent } from "../../../wire/health-checker.ts";
import { getHeader } from "../../http/headers.ts";
import type { StreamRequestHead } from "../../http/stream.ts";
import { newRecord } from "../../record.ts";
import { applyHeaderOps } from "../../route/header-ops.ts";
import type { GrpcCheckConfig } from "./check-config.ts";
import type { ExchangeResponse } from "./http-exchange.ts";

/** One question, in gRPC's framing. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function grpcCheckBody({ service }: GrpcCheckConfig): Buffer {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

export function grpcCheckHead({ headers: ops }: GrpcCheckConfig, host: string, secure: boolean): StreamRequestHead {
  const headers = ["te", "trailers", "content-type", "application/grpc", "user-agent", healthCheckerAgent];
  applyHeaderOps(ops, headers, newRecord(0, 0));
  return {
    method: "POST",
    path: "/grpc.health.v1.Health/Check",
    authority: host,
    scheme: secure ? "https" : "http",
    headers,
    contentLength: -1,
    upgrade: "",
    bytes: 0,
  };
}

/** Whether the host says that it serves: any other status, and any error, is a failure. */
export function isServing({ status, headers, body, trailers }: ExchangeResponse): boolean {
  if (status !== 200) return false;
  const code = getHeader(trailers ?? [], "grpc-status") ?? getHeader(headers, "grpc-status");
  if (code !== "0" || body.length < 5 || body[0] !== 0) return false;
  const length = body.readUInt32BE(1);
  if (body.length !== 5 + length) return false;
  try {
    const answer = fromBinary(HealthCheckResponseSchema, body.subarray(5));
    return answer.status === HealthCheckResponse_ServingStatus.SERVING;
  } catch {
    return false;
  }
}
