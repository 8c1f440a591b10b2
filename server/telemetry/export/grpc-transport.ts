import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/proto/google/rpc/status_pb.js";
import { type Delivery, type ReadResponse, type Transport, taken } from "./delivery.ts";
import type { ExportTarget } from "./settings.ts";

const maxAnswerBytes = 1 << 20;
/** `grpc.default_compression_algorithm`. */
const gzip = 2;

/** OTLP/gRPC: one unary call a batch, over a connection that is kept. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc */
export function grpcTransport(target: ExportTarget, path: string, read: ReadResponse): Transport {
  const { url, tls } = target;
  const isTls = url.protocol === "https:";
  const channel = isTls
    ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
    : credentials.createInsecure();
  const client = new Client(`${url.hostname}:${url.port || (isTls ? 443 : 80)}`, channel, {
    ...(target.gzip && { "grpc.default_compression_algorithm": gzip }),
    "grpc.max_receive_message_length": maxAnswerBytes,
    // What failed is tried again by whoever asked, with a wait of its own.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 5000,
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(target.headers)) metadata.set(name, value);
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    send: (bytes) =>
      new Promise((resolve) => {
        const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const deadline = Date.now() + target.timeoutMs;
        client.makeUnaryRequest(path, asIs, asIs, request, metadata, { deadline }, (error, answer) =>
          resolve(error ? failureOf(error) : taken(answer ?? new Uint8Array(), read)),
        );
      }),
    close: () => client.close(),
  };
}

/** https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only where the other end says when. */
const retryable: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

function failureOf({ code, details, metadata }: ServiceError): Delivery {
  const message = `${status[code]}: ${details}`;
  const afterMs = retryInfoMs(metadata);
  if (retryable.has(code) || (code === status.RESOURCE_EXHAUSTED && afterMs !== undefined)) {
    return { kind: "later", message, ...(afterMs !== undefined && { afterMs }) };
  }
  return { kind: "refused", message };
}

const retryInfo = "type.googleapis.com/google.rpc.RetryInfo";

/** `google.rpc.RetryInfo.retry_delay` among the details of the status. https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
function retryInfoMs(metadata: Metadata): number | undefined {
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) return undefined;
  try {
    const detail = fromBinary(StatusSchema, bytes).details.find(({ typeUrl }) => typeUrl === retryInfo);
    return detail && retryDelayMs(detail.value);
  } catch {
    return undefined;
  }
}

/** Its first field is a Duration. */
function retryDelayMs(bytes: Uint8Array): number | undefined {
  const reader = new BinaryReader(bytes);
  if (reader.pos >= reader.len || reader.tag()[0] !== 1) return undefined;
  const { seconds, nanos } = fromBinary(DurationSchema, reader.bytes());
  return Number(seconds) * 1000 + nanos / 1e6;
}
