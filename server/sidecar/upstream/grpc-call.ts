import {
  type DescMessage,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Cluster } from "../cluster/cluster.ts";
import { grpcStatusOf } from "../http/grpc.ts";
import { type CallFailure, type CallResponse, call } from "./call.ts";
import type { GrpcTarget } from "./grpc-service.ts";

/** Why a question over gRPC has no answer. https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export class GrpcFailure {
  readonly status: number;
  readonly message: string;

  constructor(status: number, message: string) {
    this.status = status;
    this.message = message;
  }
}

/** What may be asked with one message and answered with one. */
type Method<I extends DescMessage, O extends DescMessage> = DescMethodUnary<I, O> | DescMethodClientStreaming<I, O>;

/**
 * Asks a server over gRPC, within the circuit breakers of its cluster. `done` is called once, unless the call is cancelled.
 * @returns cancels it
 */
export function grpcCall<I extends DescMessage, O extends DescMessage>(
  clusters: ReadonlyMap<string, Cluster>,
  target: GrpcTarget,
  method: Method<I, O>,
  request: MessageShape<I>,
  done: (answer: MessageShape<O> | GrpcFailure) => void,
): () => void {
  return grpcSend(clusters, target, method, toBinary(method.input, request), (result) =>
    done(result instanceof GrpcFailure ? result : answerOf(result, method.output)),
  );
}

/** As `grpcCall`, for a message that is encoded already; what the answer says is the caller's to read, if at all. */
export function grpcSend<I extends DescMessage, O extends DescMessage>(
  clusters: ReadonlyMap<string, Cluster>,
  { cluster: name, authority, metadata, timeoutMs, maxBytes }: GrpcTarget,
  method: Method<I, O>,
  message: Uint8Array,
  done: (result: CallResponse | GrpcFailure) => void,
): () => void {
  const cluster = clusters.get(name);
  if (cluster === undefined) {
    done(new GrpcFailure(unavailable, `there is no cluster ${name}`));
    return () => {};
  }
  const timeout = timeoutMs > 0 ? ["grpc-timeout", `${Math.min(timeoutMs, longestMs)}m`] : [];
  const head = {
    method: "POST",
    path: `/${method.parent.typeName}/${method.name}`,
    authority,
    scheme: cluster.config.tls === undefined ? "http" : "https",
    headers: ["te", "trailers", "content-type", "application/grpc", ...timeout, ...metadata],
    contentLength: -1,
    upgrade: "",
    bytes: 0,
  };
  return call(cluster, {
    head,
    body: [frame(message)],
    timeoutMs: timeoutMs > 0 ? timeoutMs : longestMs,
    maxBytes,
    done: (result) => done(answered(result)),
  });
}

const longestMs = 86_400_000;

/** A message as it stands in a body: not compressed, and how long it is. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

function answered(result: CallResponse | CallFailure): CallResponse | GrpcFailure {
  if (typeof result === "string") {
    return new GrpcFailure(result === "timeout" ? deadlineExceeded : unavailable, result);
  }
  const { status, headers, trailers } = result;
  if (status !== 200) return new GrpcFailure(unknown, `HTTP ${status}`);
  const told = grpcStatusOf(headers, trailers);
  return told === "0" ? result : new GrpcFailure(Number(told ?? unknown), `grpc-status ${told ?? "is missing"}`);
}

function answerOf<O extends DescMessage>({ body }: CallResponse, schema: O): MessageShape<O> | GrpcFailure {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    return new GrpcFailure(internal, "the answer is not one message");
  }
  try {
    return fromBinary(schema, body.subarray(5));
  } catch (cause) {
    return new GrpcFailure(internal, (cause as Error).message);
  }
}

const unknown = 2;
const deadlineExceeded = 4;
const internal = 13;
const unavailable = 14;
