import { GrpcWebSchema } from "../../../gen/proto/envoy/extensions/filters/http/grpc_web/v3/grpc_web_pb.js";
import { grpcMessage, grpcStatusFor, isGrpc } from "../../http/grpc.ts";
import { getHeader, setHeader } from "../../http/headers.ts";
import type { Fields } from "../../http/stream.ts";
import {
  type FilterFactory,
  type FilterIo,
  type HttpFilter,
  type RequestContext,
  type Step,
  type StreamFilter,
  Wants,
} from "../../request/filter.ts";
import type { Hold } from "../../request/hold.ts";
import { CallStats, callName, clusterOf, KnownCalls } from "./call-stats.ts";
import { TextDecoder, TextEncoder } from "./web-text.ts";

/** Calls of browsers to servers of gRPC: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_web_filter */
export const grpcWebFilter: FilterFactory = {
  schema: GrpcWebSchema,
  fields: { [GrpcWebSchema.typeName]: [] },
  compile: (name, _config, io) => new GrpcWebFilter(name, io),
};

class GrpcWebFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData | Wants.responseData;
  private readonly io: FilterIo;
  private readonly known = new KnownCalls();

  constructor(name: string, io: FilterIo) {
    this.name = name;
    this.io = io;
  }

  open(request: RequestContext): StreamFilter | undefined {
    const type = getHeader(request.headers, "content-type") ?? "";
    if (!binaryTypes.has(type) && !textTypes.has(type)) return undefined;
    const cluster = clusterOf(request, this.io.clusters);
    const call = callName(request.path);
    const stats = cluster && call && new CallStats(this.io.stats, cluster, "grpc-web", this.known.segment(call));
    return new WebCall(request, textTypes.has(type), stats);
  }
}

const binaryTypes = new Set(["application/grpc-web", "application/grpc-web+proto"]);
const textTypes = new Set(["application/grpc-web-text", "application/grpc-web-text+proto"]);

/** Most of an upstream's plain answer that goes into `grpc-message`. */
const maxMessageBytes = 16_384;

class WebCall implements StreamFilter {
  private readonly request: RequestContext;
  private readonly stats: CallStats | undefined;
  private readonly decoder: TextDecoder | undefined;
  private encoder: TextEncoder | undefined = undefined;
  private refused = false;
  /** An answer that is none of gRPC waits to be told as one. */
  private plain: { readonly hold: Hold; readonly parts: Buffer[]; bytes: number } | undefined = undefined;

  constructor(request: RequestContext, text: boolean, stats: CallStats | undefined) {
    this.request = request;
    this.stats = stats;
    this.decoder = text ? new TextDecoder() : undefined;
  }

  onRequest(): Step {
    const { headers } = this.request;
    this.request.answersAsHttp = true;
    this.request.setRequestLength(-1);
    if (textTypes.has(getHeader(headers, "accept") ?? "")) this.encoder = new TextEncoder();
    setHeader(headers, "content-type", "application/grpc");
    // gRPC's servers want to know that trailers are understood.
    setHeader(headers, "te", "trailers");
    if (getHeader(headers, "grpc-accept-encoding") === undefined) headers.push("grpc-accept-encoding", "identity");
    return "go";
  }

  requestData(data: Buffer): Buffer {
    if (this.decoder === undefined || this.refused) return data;
    const decoded = this.decoder.feed(data);
    if (decoded === undefined) this.refuse("grpc_base_64_decode_failed");
    return decoded ?? nothing;
  }

  requestEnd(): undefined {
    if (this.decoder?.whole === false && !this.refused) this.refuse("grpc_base_64_decode_failed_bad_size");
  }

  onResponse(): Step {
    const { request } = this;
    const { responseHeaders: headers, responseHasBody } = request;
    this.stats?.status(getHeader(headers, "grpc-status"));
    const isCall = this.answersCall();
    request.setResponseLength(-1);
    setHeader(headers, "content-type", `application/grpc-web${this.encoder === undefined ? "" : "-text"}+proto`);
    if (isCall || !responseHasBody) return "go";
    const hold = request.hold(() => {}, true);
    this.plain = { hold, parts: [], bytes: 0 };
    return hold;
  }

  responseData(data: Buffer): Buffer {
    const { plain } = this;
    if (plain === undefined) return this.encoder?.feed(data) ?? data;
    const kept = data.subarray(0, maxMessageBytes - plain.bytes);
    plain.parts.push(Buffer.from(kept));
    plain.bytes += kept.length;
    return nothing;
  }

  responseEnd(trailers: Fields): Buffer | undefined {
    this.stats?.status(getHeader(trailers, "grpc-status"));
    if (this.plain !== undefined) {
      this.tellPlain(this.plain);
      return undefined;
    }
    if (trailers.length === 0) return undefined;
    const frame = trailersFrame(trailers);
    // They are in the body from here on; the log still tells what became of the call.
    this.request.record.responseTrailers = [...trailers];
    trailers.length = 0;
    return this.encoder === undefined ? frame : Buffer.from(frame.toString("base64"), "latin1");
  }

  /** Whether the answer is gRPC's already, or gRPC-Web's. */
  private answersCall(): boolean {
    const { responseHeaders: headers, responseHasBody, status } = this.request;
    if (!responseHasBody) return getHeader(headers, "grpc-status") !== undefined;
    if (status !== 200) return false;
    const type = (getHeader(headers, "content-type") ?? "").split(";", 1)[0]?.trimEnd().toLowerCase() ?? "";
    return isGrpc(headers) || binaryTypes.has(type);
  }

  private tellPlain({ hold, parts }: { hold: Hold; parts: Buffer[] }): void {
    const { request } = this;
    const headers = request.responseHeaders;
    setHeader(headers, "grpc-message", grpcMessage(Buffer.concat(parts).toString("latin1")));
    setHeader(headers, "grpc-status", String(grpcStatusFor(request.status)));
    request.setResponseLength(0);
    hold.resume();
  }

  private refuse(details: string): void {
    this.refused = true;
    this.request.reply(400, "Bad gRPC-web request, invalid base64 data.", details, 0);
  }
}

const nothing = Buffer.alloc(0);

/** Trailers as the last message of the body, by the bit that says so. */
function trailersFrame(trailers: Fields): Buffer {
  let text = "";
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}:${trailers[i + 1]}\r\n`;
  const frame = Buffer.alloc(5 + text.length);
  frame[0] = 0x80;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5, "latin1");
  return frame;
}
