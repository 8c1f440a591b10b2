import type { IncomingHttpHeaders } from "node:http";
import { create, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { type Int32Value, Int32ValueSchema, type Struct, StructSchema } from "@bufbuild/protobuf/wkt";
import {
  Client,
  credentials,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  status,
} from "@grpc/grpc-js";
import { passedOn } from "./http-service.ts";

/** Stars by reviewer. */
export type Ratings = Record<string, number>;

/** The port of the service `ratings` that speaks gRPC; the protocol is in front of its name. */
export const grpcRatings = { name: "grpc-ratings", port: 9090 } as const;

/** The ratings of the book of a number. Messages are of protobuf's own types, so that none has to be generated. */
const getRatings: MethodDefinition<Int32Value, Struct> = {
  path: "/limpid.bookinfo.Ratings/Get",
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(toBinary(Int32ValueSchema, message)),
  requestDeserialize: (bytes) => fromBinary(Int32ValueSchema, bytes),
  responseSerialize: (message) => Buffer.from(toBinary(StructSchema, message)),
  responseDeserialize: (bytes) => fromBinary(StructSchema, bytes),
};

/** Serves `ratingsOf` over gRPC; rejects when the port is taken. */
export async function serveRatings(ratingsOf: (id: number) => Promise<Ratings>, host: string, port: number) {
  const get: handleUnaryCall<Int32Value, Struct> = (call, done) => {
    const id = call.request.value;
    if (id < 0) {
      done({ code: status.INVALID_ARGUMENT, details: `id ${id}: must be 0 or more` });
      return;
    }
    ratingsOf(id).then(
      (ratings) => done(null, fromJson(StructSchema, ratings)),
      (error: unknown) => done({ code: status.INTERNAL, details: String(error) }),
    );
  };
  const server = new Server();
  server.addService({ get: getRatings }, { get });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  const close = () => new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  return { port: bound, close };
}

/** Asks for ratings through a sidecar, which takes calls by their authority. Undefined: no answer within the time (ms), or another status than OK. */
export type RatingsClient = (
  id: number,
  incoming: IncomingHttpHeaders,
  timeoutMs: number,
) => Promise<Ratings | undefined>;

export function ratingsClient(proxy: { host: string; port: number }, authority: string): RatingsClient {
  const client = new Client(`${proxy.host}:${proxy.port}`, credentials.createInsecure(), {
    "grpc.default_authority": authority,
    // The sidecar retries where the mesh says so, and comes back within a second of a restart.
    "grpc.enable_retries": 0,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
  return (id, incoming, timeoutMs) =>
    new Promise((resolve) => {
      const { path, requestSerialize, responseDeserialize } = getRatings;
      const options = { deadline: Date.now() + timeoutMs };
      const request = create(Int32ValueSchema, { value: id });
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(incoming),
        options,
        (_, answer) => resolve(answer === undefined ? undefined : (toJson(StructSchema, answer) as unknown as Ratings)),
      );
    });
}

function metadataOf(incoming: IncomingHttpHeaders): Metadata {
  const metadata = new Metadata();
  for (const name of passedOn) {
    const value = incoming[name];
    // What calls is named by gRPC itself.
    if (typeof value === "string" && name !== "user-agent") metadata.set(name, value);
  }
  return metadata;
}
