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
  type Metadata,
  type MethodDefinition,
  makeClientConstructor,
  type ServerDuplexStream,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** Where services are registered: the servers of server/grpc, and those of grpc-js. */
export interface ServiceHost {
  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void;
}

/** What a handler may know of a call and do with it, on either kind of server. */
export interface ServerCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  /** `address:port` */
  getPeer(): string;
  getAuthContext(): ReturnType<ServerDuplexStream<unknown, unknown>["getAuthContext"]>;
  sendMetadata(metadata: Metadata): void;
  /** "error" with a code and details ends the call with them. */
  emit(event: string, ...args: unknown[]): boolean;
  on(event: "error", listener: (error: Error) => void): this;
  /** "end": the client has said all; "cancelled": it is gone, or its deadline has passed; "close": the call is over, whatever ended it. */
  on(event: string, listener: () => void): this;
}

/** A call with one request. */
export interface SingleCall<Request> extends ServerCall {
  readonly request: Request;
}

/** A call that reads. Nothing flows before somebody listens for "data". */
export interface ReadingCall<Request> extends ServerCall {
  on(event: "data", listener: (message: Request) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: string, listener: () => void): this;
  pause(): unknown;
  resume(): unknown;
}

/** A call that writes. */
export interface WritingCall<Response> {
  /** `taken`: when the client's connection has it. @returns false: more than it takes at the moment */
  write(message: Response, taken?: () => void): boolean;
  /** Ends the call well. */
  end(): unknown;
}

export type DuplexCall<Request, Response> = ReadingCall<Request> & WritingCall<Response>;

type Input<M extends Pick<DescMethod, "input">> = MessageShape<M["input"]>;
type Output<M extends Pick<DescMethod, "output">> = MessageShape<M["output"]>;
type AnyMethod = GenServiceMethods[string];

/** What a server implements for a generated service, under protobuf-es' method names. */
export type ServiceHandlers<Methods extends GenServiceMethods> = {
  [K in keyof Methods]: Handler<Methods[K]>;
};

type Handler<M extends AnyMethod> = M["methodKind"] extends "bidi_streaming"
  ? (call: DuplexCall<Input<M>, Output<M>>) => void
  : M["methodKind"] extends "server_streaming"
    ? (call: SingleCall<Input<M>> & WritingCall<Output<M>>) => void
    : M["methodKind"] extends "client_streaming"
      ? (call: ReadingCall<Input<M>>, callback: sendUnaryData<Output<M>>) => void
      : (call: SingleCall<Input<M>>, callback: sendUnaryData<Output<M>>) => void;

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
  server: ServiceHost,
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
 * What a handler, or a listener that it put on its call, throws ends that call with INTERNAL; by itself, it would end the process. Listeners run within `emit`, so that is where they are caught.
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
