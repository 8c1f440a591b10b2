import type { handleUnaryCall, MethodDefinition, sendUnaryData, UntypedHandleCall } from "@grpc/grpc-js";
import type { DuplexCall, ReadingCall, SingleCall, WritingCall } from "../lib/grpc.ts";

/** A message as bytes in parts: what other messages have alike stands in the same parts, which nobody changes any more. */
export type Parts = readonly Uint8Array[];

/** What a server does for one path. */
export interface Method<Request = unknown, Response = unknown> {
  readonly path: string;
  /** Throws for what is none. */
  decode(bytes: Buffer): Request;
  encode(response: Response): Parts;
  /** Of a request nothing is looked at after `resume()`, or after the listener where the call was not paused: its room is used again. */
  readonly borrowsRequests?: boolean;
  readonly handler: MethodHandler<Request, Response>;
}

/** By how many requests there are and how many responses. */
export type MethodHandler<Request, Response> =
  | { kind: "unary"; handle(call: SingleCall<Request>, callback: sendUnaryData<Response>): void }
  | { kind: "clientStream"; handle(call: ReadingCall<Request>, callback: sendUnaryData<Response>): void }
  | { kind: "serverStream"; handle(call: SingleCall<Request> & WritingCall<Response>): void }
  | { kind: "bidi"; handle(call: DuplexCall<Request, Response>): void };

/** A method as grpc-js has it defined. */
export function methodOf(definition: MethodDefinition<unknown, unknown>, handler: UntypedHandleCall): Method {
  const { path, requestStream, responseStream, requestDeserialize, responseSerialize } = definition;
  // The definition says which of the four it is.
  const handle = handler as handleUnaryCall<unknown, unknown> as MethodHandler<unknown, unknown>["handle"];
  const kind = requestStream ? (responseStream ? "bidi" : "clientStream") : responseStream ? "serverStream" : "unary";
  return {
    path,
    decode: requestDeserialize,
    encode: (response) => [responseSerialize(response)],
    handler: { kind, handle } as MethodHandler<unknown, unknown>,
  };
}
