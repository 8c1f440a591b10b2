import { type Metadata, Server, ServerCredentials, type ServerUnaryCall, status } from "@grpc/grpc-js";
import type { Closers } from "./scenario.ts";

/** One method, text in and out. */
export const echo = {
  say: {
    path: "/test.Echo/Say",
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  },
};

const number = (metadata: Metadata, name: string): number => Number(metadata.get(name)[0] ?? 0);

/** Says its version; with the header `fail`, after so many attempts of one call that it was not there for; with `fail-<version>`, never. */
export async function startEcho(closers: Closers, version: string): Promise<number> {
  const server = new Server();
  server.addService(echo, {
    say({ metadata }: ServerUnaryCall<string, string>, done: (error: object | null, answer?: string) => void) {
      const isReady =
        metadata.get(`fail-${version}`).length === 0 &&
        number(metadata, "grpc-previous-rpc-attempts") >= number(metadata, "fail");
      if (isReady) done(null, version);
      else done({ code: status.UNAVAILABLE, details: "not yet" });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  closers.push(() => server.forceShutdown());
  return port;
}
