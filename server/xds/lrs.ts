import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { type Node, NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  LoadReportingService,
  type LoadStatsRequest,
  LoadStatsResponseSchema,
} from "../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import type { Clock } from "../lib/clock.ts";
import { addService, type ServiceHost } from "../lib/grpc.ts";
import type { LoadReports } from "./load-reports.ts";

export interface LrsOptions {
  clock: Clock;
  reports: LoadReports;
  /** How often clients are to report. */
  reportEveryMs: number;
  /** Streams at a time. */
  maxStreams: number;
}

/**
 * Clients tell what load they send, for each cluster and locality. All clusters are asked for: whoever reads has the filter.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/load_stats/v3/lrs.proto
 */
export function registerLrs(server: ServiceHost, { clock, reports, reportEveryMs, maxStreams }: LrsOptions): void {
  /** How many streams each node has: while an old one dies, the new one's loads stay. */
  const open = new Map<string, number>();
  let streams = 0;
  addService(server, LoadReportingService, {
    streamLoadStats(call) {
      if (streams >= maxStreams) {
        call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: "too many streams" });
        return;
      }
      streams += 1;
      let node: Node | undefined;
      let over = false;
      const end = () => {
        if (over) return;
        over = true;
        streams -= 1;
        if (node === undefined) return;
        const left = (open.get(node.id) ?? 1) - 1;
        if (left > 0) open.set(node.id, left);
        else {
          open.delete(node.id);
          reports.forget(node.id);
        }
      };
      call.on("data", (request: LoadStatsRequest) => {
        if (node === undefined) {
          const { id = "", cluster = "" } = request.node ?? {};
          if (id === "" || id.length > 1_024 || cluster.length > 1_024) {
            call.emit("error", { code: status.INVALID_ARGUMENT, details: "the first report must carry node.id" });
            return;
          }
          node = create(NodeSchema, { id, cluster });
          open.set(id, (open.get(id) ?? 0) + 1);
          call.write(
            create(LoadStatsResponseSchema, {
              sendAllClusters: true,
              loadReportingInterval: {
                seconds: BigInt(Math.floor(reportEveryMs / 1000)),
                nanos: (reportEveryMs % 1000) * 1e6,
              },
            }),
          );
        }
        reports.record(node, request.clusterStats, clock.now());
      });
      call.on("end", () => {
        end();
        call.end();
      });
      for (const event of ["error", "cancelled", "close"]) call.on(event, end);
    },
  });
}
