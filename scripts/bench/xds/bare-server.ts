// What grpc-js costs alone: takes the requests of scripts/bench/xds/clients.ts as bytes, and answers the first of each type with nothing in it.
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { readVarint, VarintSource } from "../../../server/lib/varint.ts";

const same = (bytes: Buffer): Buffer => bytes;
const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

const server = new Server({ "grpc.max_receive_message_length": 16 << 20 });
server.addService(
  {
    open: {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    open(call: ServerDuplexStream<Buffer, Buffer>) {
      const answered = new Set<string>();
      call.on("data", (bytes: Buffer) => {
        const typeUrl = typeOf(bytes);
        if (answered.has(typeUrl)) return;
        answered.add(typeUrl);
        call.write(Buffer.concat([field(4, Buffer.from(typeUrl)), field(5, Buffer.from(String(answered.size)))]));
      });
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  },
);

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

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ port });
});
process.on("disconnect", () => process.exit());
