// What the transport costs alone: takes the requests of scripts/bench/xds/clients.ts as bytes, and answers the first of each type with nothing in it.
// `limpid`, the server that the control plane has; `grpc-js`; or `node:http2`, which is what grpc-js stands on.
import { createServer, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { GrpcServer } from "../../../server/grpc/server.ts";
import { systemClock } from "../../../server/lib/clock.ts";
import { readVarint, VarintSource } from "../../../server/lib/varint.ts";
import { adsPath } from "./raw-discovery.ts";
import { messageHead } from "./raw-stream.ts";

/** As the control plane has it: two thousand clients come at once. */
const backlog = 4_096;

const same = (bytes: Buffer): Buffer => bytes;

/** An answer to each type's first request; undefined: there is nothing to say. */
function answers(): (bytes: Buffer) => Buffer | undefined {
  const answered = new Set<string>();
  return (bytes) => {
    const typeUrl = typeOf(bytes);
    if (answered.has(typeUrl)) return undefined;
    answered.add(typeUrl);
    return Buffer.concat([field(4, Buffer.from(typeUrl)), field(5, Buffer.from(String(answered.size)))]);
  };
}

/** Of a DeltaDiscoveryRequest that has nothing but a node before it. */
function typeOf(bytes: Buffer): string {
  const source = new VarintSource();
  source.reset(bytes);
  for (;;) {
    const key = readVarint(source);
    const length = readVarint(source);
    if (key >> 3 === 2) return bytes.toString("latin1", source.at, source.at + length);
    source.at += length;
  }
}

const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);

async function serveLimpid(): Promise<void> {
  const limits = {
    maxMessageBytes: 16 << 20,
    maxStreamsPerConnection: 1_000,
    maxConnections: 10_000,
    firstMessageMs: 60_000,
  };
  const server = new GrpcServer(limits, systemClock);
  server.handle<Buffer, Buffer>({
    path: adsPath,
    decode: same,
    encode: (bytes) => [bytes],
    borrowsRequests: true,
    handler: {
      kind: "bidi",
      handle(call) {
        const answer = answers();
        call.on("data", (bytes: Buffer) => {
          const response = answer(bytes);
          if (response) call.write(response);
        });
        call.on("end", () => void call.end());
      },
    },
  });
  process.send?.({ port: await server.listen({ host: "127.0.0.1", port: 0 }) });
}

function serveGrpcJs(): void {
  const server = new Server({ "grpc.max_receive_message_length": 16 << 20 });
  const method = {
    path: adsPath,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { open: method },
    {
      open(call: ServerDuplexStream<Buffer, Buffer>) {
        const answer = answers();
        call.on("data", (bytes: Buffer) => {
          const response = answer(bytes);
          if (response) call.write(response);
        });
        call.on("end", () => call.end());
        call.on("error", () => {});
      },
    },
  );
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const port = createNetServer((socket) => injector.injectConnection(socket));
  port.listen({ port: 0, host: "127.0.0.1", backlog }, () => {
    process.send?.({ port: (port.address() as AddressInfo).port });
  });
}

function serveHttp2(): void {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    const answer = answers();
    let parts: Buffer[] = [];
    let bytes = 0;
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      bytes += chunk.length;
      for (;;) {
        if (bytes < 5) return;
        if (parts[0] && parts[0].length < 5) parts = [Buffer.concat(parts)];
        const head = parts[0] ?? Buffer.alloc(0);
        if (bytes < 5 + head.readUInt32BE(1)) return;
        const end = 5 + head.readUInt32BE(1);
        const all = parts.length === 1 ? head : Buffer.concat(parts);
        const response = answer(all.subarray(5, end));
        if (response) stream.write(Buffer.concat([messageHead(response.length), response]));
        parts = all.length > end ? [all.subarray(end)] : [];
        bytes -= end;
      }
    });
    stream.on("error", () => {});
  });
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1", backlog, () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

const transports: Record<string, () => unknown> = {
  limpid: serveLimpid,
  "grpc-js": serveGrpcJs,
  "node:http2": serveHttp2,
};
transports[process.argv[2] ?? ""]?.();
process.on("disconnect", () => process.exit());
