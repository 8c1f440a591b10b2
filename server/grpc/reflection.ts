import { create, type DescFile, type DescService, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { Health } from "../gen/proto/grpc/health/v1/health_pb.js";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../gen/proto/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflectionResponseSchema as AlphaResponseSchema,
  ServerReflection as ServerReflectionAlpha,
} from "../gen/proto/grpc/reflection/v1alpha/reflection_pb.js";
import { addService, type DuplexCall, type ServiceHost } from "../lib/grpc.ts";

/**
 * Tells clients without our protos, such as grpcurl, what the server serves: in version 1, and in the alpha that older clients know, which has the
 * same messages. `contents`: what may stand in an `Any` of theirs, which no service's own files name.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function addReflection(
  server: ServiceHost,
  services: readonly DescService[],
  contents: readonly DescFile[] = [],
): void {
  const own = [...services, Health, ServerReflection, ServerReflectionAlpha];
  let index: ReflectionIndex | undefined;
  const answer = (request: ServerReflectionRequest) => {
    index ??= indexOf(own, contents);
    return respond(index, request);
  };
  addService(server, ServerReflection, {
    serverReflectionInfo: (call) =>
      answerEach(call, (request) => create(ServerReflectionResponseSchema, answer(request))),
  });
  addService(server, ServerReflectionAlpha, {
    serverReflectionInfo: (call) =>
      answerEach(call, (request) =>
        create(AlphaResponseSchema, answer(request as unknown as ServerReflectionRequest) as never),
      ),
  });
}

function answerEach<Request, Response>(
  call: DuplexCall<Request, Response>,
  answer: (request: Request) => Response,
): void {
  call.on("data", (request: Request) => {
    // The next question is read when this answer is on its way.
    call.pause();
    call.write(answer(request), () => call.resume());
  });
  call.on("end", () => call.end());
  call.on("error", () => undefined);
}

interface ReflectionIndex {
  services: readonly string[];
  byFile: ReadonlyMap<string, DescFile>;
  /** Full names of services, methods, messages, fields and enums. */
  bySymbol: ReadonlyMap<string, DescFile>;
}

function indexOf(services: readonly DescService[], contents: readonly DescFile[]): ReflectionIndex {
  const byFile = new Map<string, DescFile>();
  const add = (file: DescFile) => {
    if (byFile.has(file.proto.name)) return;
    byFile.set(file.proto.name, file);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const file of [...services.map(({ file }) => file), ...contents]) add(file);
  const bySymbol = new Map<string, DescFile>();
  for (const file of byFile.values()) for (const symbol of symbolsOf(file)) bySymbol.set(symbol, file);
  return { services: services.map(({ typeName }) => typeName), byFile, bySymbol };
}

function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    for (const method of service.methods) yield `${service.typeName}.${method.name}`;
  }
  for (const { typeName } of file.enums) yield typeName;
  const messages = [...file.messages];
  for (const message of messages) {
    yield message.typeName;
    for (const { name } of message.fields) yield `${message.typeName}.${name}`;
    for (const { typeName } of message.nestedEnums) yield typeName;
    messages.push(...message.nestedMessages);
  }
}

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>;

function respond(index: ReflectionIndex, request: ServerReflectionRequest): Answer {
  const { messageRequest, host } = request;
  const base = { validHost: host, originalRequest: request };
  const notFound = (what: string): Answer => ({
    ...base,
    messageResponse: { case: "errorResponse", value: { errorCode: status.NOT_FOUND, errorMessage: `no ${what} here` } },
  });
  switch (messageRequest.case) {
    case "listServices": {
      const service = index.services.map((name) => ({ name }));
      return { ...base, messageResponse: { case: "listServicesResponse", value: { service } } };
    }
    case "fileByFilename": {
      const file = index.byFile.get(messageRequest.value);
      return file ? { ...base, messageResponse: files(index, file) } : notFound(`file ${messageRequest.value}`);
    }
    case "fileContainingSymbol": {
      const file = index.bySymbol.get(messageRequest.value);
      return file ? { ...base, messageResponse: files(index, file) } : notFound(`symbol ${messageRequest.value}`);
    }
    case "allExtensionNumbersOfType": {
      const { value } = messageRequest;
      if (!index.bySymbol.has(value)) return notFound(`type ${value}`);
      return {
        ...base,
        messageResponse: { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber: [] } },
      };
    }
    default:
      return notFound("such extension");
  }
}

/** The file and all that it needs, so that a client need not ask again; each stands before what it imports. */
function files(index: ReflectionIndex, file: DescFile): NonNullable<Answer["messageResponse"]> {
  const [seen, found] = [new Set<DescFile>(), [] as DescFile[]];
  const add = (one: DescFile) => {
    const whole = index.byFile.get(one.proto.name) ?? one;
    if (seen.has(whole)) return;
    seen.add(whole);
    for (const dependency of whole.dependencies) add(dependency);
    found.push(whole);
  };
  add(file);
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: found.reverse().map(encoded) },
  };
}

const encodedFiles = new WeakMap<DescFile, Uint8Array>();

function encoded(file: DescFile): Uint8Array {
  const known = encodedFiles.get(file);
  if (known) return known;
  // Files of options are left out when code is generated, and nobody could ask for them.
  const kept = new Set(file.dependencies.map(({ proto }) => proto.name));
  const dependency = file.proto.dependency.filter((name) => kept.has(name));
  const bytes = toBinary(FileDescriptorProtoSchema, {
    ...file.proto,
    dependency,
    publicDependency: [],
    weakDependency: [],
  });
  encodedFiles.set(file, bytes);
  return bytes;
}
