import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import { httpStatusFor, isGrpc } from "../../http/grpc.ts";
import { getHeader } from "../../http/headers.ts";
import type { StreamResponseHead } from "../../http/stream.ts";

/** What a response says of its endpoint. A gRPC status that comes with the head counts as HTTP's for it, as in Envoy. */
export function judge(cluster: Cluster, endpoint: Endpoint, { status, headers }: StreamResponseHead): void {
  const grpc = cluster.outlier === undefined || !isGrpc(headers) ? undefined : getHeader(headers, "grpc-status");
  cluster.onResponse(endpoint, grpc === undefined ? status : httpStatusFor(Number(grpc)), headers);
  if (cluster.checks && getHeader(headers, "x-envoy-immediate-health-check-fail") !== undefined) {
    cluster.failAtOnce(endpoint);
  }
}
