import { Server, ServerCredentials } from "@grpc/grpc-js";

/** A gRPC server that takes access-log streams and forgets them, in this process, which runs on the load generator's core. */
export function startSink(): Promise<number> {
  const server = new Server();
  const pass = (value: Buffer) => value;
  server.addService(
    {
      StreamAccessLogs: {
        path: "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
        requestStream: true,
        responseStream: false,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    },
    {
      StreamAccessLogs: (
        call: { on(event: string, listener: () => void): void },
        done: (error: null, answer: Buffer) => void,
      ) => {
        call.on("data", () => {});
        call.on("error", () => {});
        call.on("end", () => done(null, Buffer.alloc(0)));
      },
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}
