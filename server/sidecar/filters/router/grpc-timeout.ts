import { type FlatHeaders, getHeader, setHeader } from "../../http/headers.ts";
import type { GrpcTimeoutLimit } from "../../route/compile-route.ts";

/** In ms, a part of one rounded up; undefined: none, or not to be understood. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests */
export function grpcTimeoutOf(headers: readonly string[]): number | undefined {
  const parts = /^(\d{1,8})([HMSmun])$/.exec(getHeader(headers, "grpc-timeout") ?? "");
  const unit = msPerUnit[parts?.[2] ?? ""];
  return parts === null || unit === undefined ? undefined : Math.ceil(Number(parts[1]) / unit.per) * unit.ms;
}

/** In the finest unit that eight digits have room for. */
export function setGrpcTimeout(headers: FlatHeaders, ms: number): void {
  let value = Math.floor(ms);
  let unit = "m";
  for (const [coarser, divisor] of coarserUnits) {
    if (value <= maxValue) break;
    value = Math.floor(value / divisor);
    unit = coarser;
  }
  setHeader(headers, "grpc-timeout", `${Math.min(value, maxValue)}${unit}`);
}

/**
 * The route timeout of a gRPC request where the route has `max_grpc_timeout`: what the client asks for, less the offset where something remains, and at most
 * the maximum. 0 is none, of all of them.
 */
export function grpcRouteTimeout(headers: readonly string[], { maxMs, offsetMs }: GrpcTimeoutLimit): number {
  let timeout = grpcTimeoutOf(headers) ?? 0;
  if (offsetMs < timeout) timeout -= offsetMs;
  return maxMs !== 0 && (timeout === 0 || timeout > maxMs) ? maxMs : timeout;
}

/** How long a stream may take whose client says so, where the route has `grpc_timeout_header_max`, from its first byte. Undefined: the client says nothing. */
export function grpcDeadline(headers: readonly string[], { maxMs, offsetMs }: GrpcTimeoutLimit): number | undefined {
  const asked = grpcTimeoutOf(headers);
  if (asked === undefined) return undefined;
  const capped = maxMs === 0 ? asked : Math.min(asked, maxMs);
  return Math.max(0, capped - offsetMs);
}

const maxValue = 99_999_999;

const coarserUnits = [
  ["S", 1000],
  ["M", 60],
  ["H", 60],
] as const;

const msPerUnit: Record<string, { ms: number; per: number } | undefined> = {
  H: { ms: 3_600_000, per: 1 },
  M: { ms: 60_000, per: 1 },
  S: { ms: 1000, per: 1 },
  m: { ms: 1, per: 1 },
  u: { ms: 1, per: 1000 },
  n: { ms: 1, per: 1_000_000 },
};
