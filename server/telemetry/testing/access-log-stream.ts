import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { AccessLogService, StreamAccessLogsMessageSchema } from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { makeClient } from "../../lib/grpc.ts";

const domain = "default.svc.cluster.local";

export type AlsMessage = Exclude<MessageInitShape<typeof StreamAccessLogsMessageSchema>, { $typeName: string }>;

/** Sends the messages on one stream to this address and ends it; resolves with the error, if any. */
export async function streamLogs(address: string, ...messages: AlsMessage[]): Promise<ServiceError | null> {
  const client = makeClient(AccessLogService, address);
  try {
    return await new Promise((resolve) => {
      const call = client.streamAccessLogs(new Metadata(), {}, (error) => resolve(error));
      call.on("error", () => {});
      for (const message of messages) call.write(create(StreamAccessLogsMessageSchema, message));
      call.end();
    });
  } finally {
    client.close();
  }
}

export const identifier = (logName: string) => ({
  logName,
  node: { id: `sidecar~127.0.1.2~productpage-v1.default~${domain}`, cluster: "productpage.default" },
});

/** So many requests of productpage to reviews that ended now. */
export const entries = (count: number): AlsMessage => ({
  logEntries: {
    case: "httpLogs",
    value: {
      logEntry: Array.from({ length: count }, () => ({
        commonProperties: {
          startTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
          upstreamCluster: `outbound|9080|v1|reviews.${domain}`,
        },
        response: { responseCode: 200 },
      })),
    },
  },
});
