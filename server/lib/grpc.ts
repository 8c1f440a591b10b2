import type { EventEmitter } from "node:events";
import { type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type MethodDefinition,
  makeClientConstructor,
  type Server,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

type Input<M extends Pick<DescMethod, "input">> = MessageShape<M["input"]>;
type Output<M extends Pick<DescMethod, "output">> = MessageShape<M["output"]>;
type AnyMethod = GenServiceMethods[string];

/** What a server implements for a generated service: grpc-js handlers under protobuf-es' method names. */
export type ServiceHandlers<Methods extends GenServiceMethods> = {
  [K in keyof Methods]: Handler<Methods[K]>;
};

type Handler<M extends AnyMethod> = M["methodKind"] extends "bidi_streaming"
  ? handleBidiStreamingCall<Input<M>, Output<M>>
  : M["methodKind"] extends "server_streaming"
    ? handleServerStreamingCall<Input<M>, Output<M>>
    : M["methodKind"] extends "client_streaming"
      ? handleClientStreamingCall<Input<M>, Output<M>>
      : handleUnaryCall<Input<M>, Output<M>>;

type Callback<M extends AnyMethod> = (error: ServiceError | null, response?: Output<M>) => void;

type Call<M extends AnyMethod> = M["methodKind"] extends "bidi_streaming"
  ? (metadata?: Metadata, options?: CallOptions) => ClientDuplexStream<Input<M>, Output<M>>
  : M["methodKind"] extends "server_streaming"
    ? (request: Input<M>, metadata?: Metadata, options?: CallOptions) => ClientReadableStream<Output<M>>
    : M["methodKind"] extends "client_streaming"
      ? (metadata: Metadata, options: CallOptions, callback: Callback<M>) => ClientWritableStream<Input<M>>
      : (request: Input<M>, metadata: Metadata, options: CallOptions, callback: Callback<M>) => ClientUnaryCall;

/** A grpc-js client whose methods are typed by the generated service. */
export type ServiceClient<Methods extends GenServiceMethods> = Client & { [K in keyof Methods]: Call<Methods[K]> };

/** grpc-js' definition of a service that protobuf-es generated. */
export function serviceDefinition<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
): Record<keyof Methods & string, MethodDefinition<unknown, unknown>> {
  const entries = service.methods.map((method) => [method.localName, methodDefinition(service.typeName, method)]);
  return Object.fromEntries(entries);
}

function methodDefinition(serviceName: string, method: DescMethod): MethodDefinition<unknown, unknown> {
  const kind = method.methodKind;
  const encode = (schema: DescMethod["input"]) => (message: unknown) => {
    const bytes = toBinary(schema, message as MessageShape<typeof schema>);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const decode = (schema: DescMethod["input"]) => (bytes: Buffer) => fromBinary(schema, bytes);
  return {
    path: `/${serviceName}/${method.name}`,
    originalName: method.localName,
    requestStream: kind === "client_streaming" || kind === "bidi_streaming",
    responseStream: kind === "server_streaming" || kind === "bidi_streaming",
    requestSerialize: encode(method.input),
    requestDeserialize: decode(method.input),
    responseSerialize: encode(method.output),
    responseDeserialize: decode(method.output),
  };
}

/** Registers handlers for a generated service. A method that is left out answers UNIMPLEMENTED. `onError` is told of what a handler throws. */
export function addService<Methods extends GenServiceMethods>(
  server: Server,
  service: GenService<Methods>,
  handlers: Partial<ServiceHandlers<Methods>>,
  onError: (error: unknown, method: string) => void = () => {},
): void {
  const bounded = Object.entries(handlers as UntypedServiceImplementation).map(([name, handler]) => [
    name,
    withBoundary(handler as AnyHandler, (error) => onError(error, `${service.typeName}/${name}`)),
  ]);
  server.addService(serviceDefinition(service), Object.fromEntries(bounded) as UntypedServiceImplementation);
}

type AnyHandler = (call: EventEmitter, callback?: (error: Partial<ServiceError>) => void) => unknown;

/**
 * What a handler, or a listener that it put on its call, throws ends that call with INTERNAL; by itself, grpc-js would let it end the
 * process. Listeners run within `emit`, so that is where they are caught.
 */
function withBoundary(handler: AnyHandler, onError: (error: unknown) => void): AnyHandler {
  return (call, callback) => {
    const emit = call.emit;
    const fail = (cause: unknown): void => {
      onError(cause);
      const error = { code: status.INTERNAL, details: "internal error" };
      if (callback) callback(error);
      else emit.call(call, "error", error);
    };
    call.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event === "error") return emit.call(call, event, ...args);
      try {
        return emit.call(call, event, ...args);
      } catch (error) {
        fail(error);
        return true;
      }
    };
    try {
      const result = handler(call, callback);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** A client of a generated service, in plain text unless told otherwise; close() it when done. `target` is `host:port`. */
export function makeClient<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  target: string,
  options: ChannelOptions = {},
  channelCredentials: ChannelCredentials = credentials.createInsecure(),
): ServiceClient<Methods> {
  const Constructor = makeClientConstructor(serviceDefinition(service), service.typeName);
  return new Constructor(target, channelCredentials, options) as unknown as ServiceClient<Methods>;
}
