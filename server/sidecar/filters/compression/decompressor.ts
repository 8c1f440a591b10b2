import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Decompressor_CommonDirectionConfig as Common,
  type Decompressor,
  DecompressorSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/decompressor/v3/decompressor_pb.js";
import { at } from "../../config/problems.ts";
import { type FlatHeaders, getJoined, removeHeader, setHeader } from "../../http/headers.ts";
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
import { CodecStats, hasToken } from "./direction.ts";
import {
  decompressorFields,
  decompressorLibrary,
  decompressorSchemas,
  type Library,
  maxInflateRatio,
} from "./libraries.ts";
import type { SyncCodec } from "./sync-codec.ts";

/** Decompresses bodies: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/decompressor_filter */
export const decompressorFilter: FilterFactory = {
  schema: DecompressorSchema,
  libraries: decompressorSchemas,
  fields: {
    [DecompressorSchema.typeName]: ["decompressor_library", "request_direction_config", "response_direction_config"],
    [`${DecompressorSchema.typeName}.CommonDirectionConfig`]: ["enabled", "ignore_no_transform_header"],
    [`${DecompressorSchema.typeName}.RequestDirectionConfig`]: ["common_config", "advertise_accept_encoding"],
    [`${DecompressorSchema.typeName}.ResponseDirectionConfig`]: ["common_config"],
    ...decompressorFields,
  },
  compile: (name, config, io) => new DecompressorFilter(name, config, io),
};

interface Direction {
  enabled(): boolean;
  readonly ignoresNoTransform: boolean;
  readonly stats: CodecStats;
}

class DecompressorFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData | Wants.responseData;
  readonly library: Library;
  /** How much larger than what came a body may become. */
  readonly maxRatio: number;
  readonly request: Direction;
  readonly response: Direction;
  /** Of the trailers that tell how long a body was. */
  readonly trailerPrefix: string;
  private readonly advertises: boolean;

  constructor(name: string, any: Any, io: FilterIo) {
    const config = anyUnpack(any, DecompressorSchema) as Decompressor;
    const { decompressorLibrary: extension, requestDirectionConfig: request } = config;
    const library = at("decompressor_library", () => decompressorLibrary(extension));
    const libraryName = extension?.name ?? "";
    const prefix = `${io.statPrefix}decompressor.${libraryName}.${library.statName}.`;
    this.name = name;
    this.library = library;
    this.maxRatio = maxInflateRatio(extension);
    this.request = directionOf(request?.commonConfig, io, `${prefix}request.`);
    this.response = directionOf(config.responseDirectionConfig?.commonConfig, io, `${prefix}response.`);
    this.trailerPrefix = `x-envoy-decompressor-${libraryName.toLowerCase()}`;
    this.advertises = request?.advertiseAcceptEncoding ?? true;
  }

  /** Tells the upstream that this hop understands the coding. */
  advertise(headers: FlatHeaders): void {
    if (!this.response.enabled() || !this.advertises) return;
    // Without the weight that a client may have given it: this hop likes it best.
    const others = (getJoined(headers, "accept-encoding") ?? "")
      .split(",")
      .filter((token) => token !== "" && token.split(";", 1)[0]?.trim() !== this.library.coding);
    setHeader(headers, "accept-encoding", [...others, this.library.coding].join(","));
  }

  open(request: RequestContext): StreamFilter {
    return new DecompressedExchange(this, request);
  }
}

function directionOf(common: Common | undefined, { runtime, stats }: FilterIo, prefix: string): Direction {
  return {
    enabled: runtime.flag(common?.enabled, true),
    ignoresNoTransform: common?.ignoreNoTransformHeader ?? false,
    stats: new CodecStats(stats, prefix, "decompressed"),
  };
}

class DecompressedExchange implements StreamFilter {
  private readonly filter: DecompressorFilter;
  private readonly request: RequestContext;
  private up: Inflated | undefined = undefined;
  private down: Inflated | undefined = undefined;

  constructor(filter: DecompressorFilter, request: RequestContext) {
    this.filter = filter;
    this.request = request;
  }

  onRequest(): Step {
    const { filter, request } = this;
    filter.advertise(request.headers);
    if (!request.hasBody) return "go";
    this.up = this.begin(filter.request, request.headers);
    if (this.up !== undefined) request.setRequestLength(-1);
    return "go";
  }

  requestData(data: Buffer): Buffer {
    return this.through(this.up, data, "request");
  }

  requestEnd(trailers: Fields): Buffer | undefined {
    return this.end(this.up, trailers, "request");
  }

  onResponse(): Step {
    const { filter, request } = this;
    if (!request.responseHasBody) return "go";
    this.down = this.begin(filter.response, request.responseHeaders);
    if (this.down !== undefined) request.setResponseLength(-1);
    return "go";
  }

  responseData(data: Buffer): Buffer {
    return this.through(this.down, data, "response");
  }

  responseEnd(trailers: Fields): Buffer | undefined {
    return this.end(this.down, trailers, "response");
  }

  close(): void {
    this.up?.codec.close();
    this.down?.codec.close();
  }

  private begin({ enabled, ignoresNoTransform, stats }: Direction, headers: FlatHeaders): Inflated | undefined {
    const { library } = this.filter;
    const codings = getJoined(headers, "content-encoding")?.split(",") ?? [];
    const kept = !ignoresNoTransform && hasToken(getJoined(headers, "cache-control"), "no-transform");
    // The first named is the one that is taken off, as in Envoy.
    if (!enabled() || kept || codings[0]?.trim().toLowerCase() !== library.coding) {
      stats.skipped.inc();
      return undefined;
    }
    stats.done.inc();
    if (codings.length > 1) setHeader(headers, "content-encoding", codings.slice(1).join(",").trim());
    else removeHeader(headers, "content-encoding");
    return { codec: library.open(), stats, compressed: 0, uncompressed: 0, broken: false };
  }

  private through(body: Inflated | undefined, data: Buffer, which: "request" | "response"): Buffer {
    if (body === undefined) return data;
    if (body.broken) return nothing;
    return this.inflate(body, data, this.filter.library.flush) ?? this.refuse(body, which);
  }

  /** Half a body must not pass for a whole one, which it does in Envoy. */
  private refuse(body: Inflated, which: "request" | "response"): Buffer {
    body.broken = true;
    const status = which === "request" ? 400 : 502;
    this.request.reply(status, `the ${which} cannot be decompressed`, "decompression_failed", 0);
    return nothing;
  }

  private inflate(body: Inflated, data: Buffer, flush: number): Buffer | undefined {
    let made: Buffer;
    try {
      made = body.codec.push(data, flush);
    } catch {
      return undefined;
    }
    body.compressed += data.length;
    body.uncompressed += made.length;
    body.stats.compressedBytes.inc(data.length);
    body.stats.uncompressedBytes.inc(made.length);
    return body.uncompressed > body.compressed * this.filter.maxRatio + slack ? undefined : made;
  }

  private end(body: Inflated | undefined, trailers: Fields, which: "request" | "response"): Buffer | undefined {
    if (body === undefined || body.broken) return undefined;
    // Nothing at all is no broken body.
    const rest = body.compressed === 0 ? nothing : this.inflate(body, nothing, this.filter.library.finish);
    if (rest === undefined) return this.refuse(body, which);
    const { trailerPrefix } = this.filter;
    trailers.push(`${trailerPrefix}-compressed-bytes`, String(body.compressed));
    trailers.push(`${trailerPrefix}-uncompressed-bytes`, String(body.uncompressed));
    return rest;
  }
}

/** A body on its way through a decompressor. */
interface Inflated {
  readonly codec: SyncCodec;
  readonly stats: CodecStats;
  compressed: number;
  uncompressed: number;
  broken: boolean;
}

/** What a little body may become whatever its ratio is. */
const slack = 65_536;
const nothing = Buffer.alloc(0);
