import { isGrpc } from "../../http/grpc.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { ForwardTarget } from "../../route/compile-route.ts";
import { grpcDeadline, setGrpcTimeout } from "./grpc-timeout.ts";

/** How many ms a request has still, of all that it may take, and tells a gRPC upstream of that; undefined: as long as it takes. */
export function durationLeft(exchange: Exchange, action: ForwardTarget): number | undefined {
  const asked = action.grpcDeadline === undefined ? undefined : grpcDeadline(exchange.headers, action.grpcDeadline);
  const limit = asked ?? action.maxStreamDurationMs ?? exchange.manager.options.maxStreamMs;
  // Whoever asks for no time at all has none; as a setting it is no limit.
  if (limit === 0 && asked === undefined) return undefined;
  if (isGrpc(exchange.headers)) setGrpcTimeout(exchange.headers, limit);
  return limit - (performance.now() - exchange.start);
}
