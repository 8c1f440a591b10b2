import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Compressor_CommonDirectionConfig as Common,
  type Compressor,
  CompressorPerRouteSchema,
  CompressorSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/compressor/v3/compressor_pb.js";
import { at } from "../../config/problems.ts";
import { type FlatHeaders, getHeader, getJoined, removeHeader, setHeader } from "../../http/headers.ts";
import {
  type FilterFactory,
  type FilterIo,
  type HttpFilter,
  type RequestContext,
  type Step,
  type StreamFilter,
  Wants,
} from "../../request/filter.ts";
import type { Stats } from "../../stats.ts";
import { type Choice, chooseCoding } from "./accept-encoding.ts";
import { Body } from "./body.ts";
import { type Direction, directionOf, hasToken, mediaType } from "./direction.ts";
import { compressorFields, compressorLibrary, compressorSchemas, type Library } from "./libraries.ts";

/** Compresses bodies: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter */
export const compressorFilter: FilterFactory = {
  schema: CompressorSchema,
  perRouteSchema: CompressorPerRouteSchema,
  libraries: compressorSchemas,
  fields: {
    [CompressorSchema.typeName]: [
      "content_length",
      "content_type",
      "disable_on_etag_header",
      "remove_accept_encoding_header",
      "runtime_enabled",
      "compressor_library",
      "request_direction_config",
      "response_direction_config",
      "choose_first",
    ],
    [`${CompressorSchema.typeName}.CommonDirectionConfig`]: ["enabled", "min_content_length", "content_type"],
    [`${CompressorSchema.typeName}.RequestDirectionConfig`]: ["common_config"],
    [`${CompressorSchema.typeName}.ResponseDirectionConfig`]: [
      "common_config",
      "disable_on_etag_header",
      "remove_accept_encoding_header",
    ],
    [CompressorPerRouteSchema.typeName]: ["disabled", "overrides"],
    "envoy.extensions.filters.http.compressor.v3.CompressorOverrides": ["response_direction_config"],
    "envoy.extensions.filters.http.compressor.v3.ResponseDirectionOverrides": ["remove_accept_encoding_header"],
    "envoy.config.core.v3.RuntimeFeatureFlag": ["default_value", "runtime_key"],
    ...compressorFields,
  },
  compile: (name, config, io) => new CompressorFilter(name, config, io),
  compilePerRoute(config: Any): RouteOverride {
    const override = anyUnpack(config, CompressorPerRouteSchema)?.override;
    switch (override?.case) {
      case "disabled":
        return { enabled: false, removeAcceptEncoding: undefined };
      case "overrides": {
        const response = override.value.responseDirectionConfig;
        return { enabled: response && true, removeAcceptEncoding: response?.removeAcceptEncodingHeader };
      }
      default:
        throw new Error("override: disabled or overrides is required");
    }
  },
};

/** What a route says in place of the filter's own; undefined: nothing. */
interface RouteOverride {
  readonly enabled: boolean | undefined;
  readonly removeAcceptEncoding: boolean | undefined;
}

class CompressorFilter implements HttpFilter {
  readonly name: string;
  readonly wants: number;
  readonly library: Library;
  readonly request: Direction;
  readonly compressesRequests: boolean;
  readonly response: Direction;
  readonly chooseFirst: boolean;
  readonly disableOnEtag: boolean;
  readonly stats: Stats;
  /** Of counters about what clients accept. */
  readonly prefix: string;
  private readonly removesAcceptEncoding: boolean;

  constructor(name: string, any: Any, io: FilterIo) {
    const config = anyUnpack(any, CompressorSchema) as Compressor;
    const own = config.responseDirectionConfig;
    const library = at("compressor_library", () => compressorLibrary(config.compressorLibrary));
    const prefix = `${io.statPrefix}compressor.${config.compressorLibrary?.name ?? ""}.${library.statName}.`;
    this.name = name;
    this.library = library;
    this.prefix = prefix;
    this.stats = io.stats;
    this.chooseFirst = config.chooseFirst;
    this.disableOnEtag = own?.disableOnEtagHeader ?? config.disableOnEtagHeader;
    this.removesAcceptEncoding = own?.removeAcceptEncodingHeader ?? config.removeAcceptEncodingHeader;
    const { requestDirectionConfig: request } = config;
    this.request = directionOf(request?.commonConfig, io, `${prefix}request.`);
    this.compressesRequests = request !== undefined;
    this.response = directionOf(
      own?.commonConfig ?? (own ? undefined : deprecated(config)),
      io,
      own ? `${prefix}response.` : prefix,
    );
    this.wants = Wants.responseData | (request === undefined ? 0 : Wants.requestData);
  }

  open(request: RequestContext): StreamFilter {
    return new CompressedExchange(this, request, request.perFilter<RouteOverride>(this.name));
  }

  removesAccept(route: RouteOverride | undefined): boolean {
    return this.compresses(route) && (route?.removeAcceptEncoding ?? this.removesAcceptEncoding);
  }

  compresses(route: RouteOverride | undefined): boolean {
    return route?.enabled ?? this.response.enabled();
  }

  count(what: string): void {
    this.stats.counter(`${this.prefix}${what}`).inc();
  }
}

/** The older fields, which hold where `response_direction_config` is not set. */
const deprecated = ({ runtimeEnabled, contentLength, contentType }: Compressor) =>
  ({ enabled: runtimeEnabled, minContentLength: contentLength, contentType }) as Common;

/** All compressors that a request has come by, and what was chosen among them: once for all. */
interface Chain {
  readonly filters: CompressorFilter[];
  choice: Choice | undefined;
}

const chains = new WeakMap<RequestContext, Chain>();

class CompressedExchange implements StreamFilter {
  private readonly filter: CompressorFilter;
  private readonly request: RequestContext;
  private readonly route: RouteOverride | undefined;
  private readonly accept: string | undefined;
  private readonly chain: Chain;
  private up: Body | undefined = undefined;
  private down: Body | undefined = undefined;

  constructor(filter: CompressorFilter, request: RequestContext, route: RouteOverride | undefined) {
    this.filter = filter;
    this.request = request;
    this.route = route;
    // As the client said it: this filter, or one behind it, may take the field away.
    this.accept = getJoined(request.headers, "accept-encoding");
    const chain = chains.get(request) ?? { filters: [], choice: undefined };
    chain.filters.push(filter);
    chains.set(request, chain);
    this.chain = chain;
  }

  onRequest(): Step {
    const { filter, request } = this;
    if (filter.removesAccept(this.route)) removeHeader(request.headers, "accept-encoding");
    const { request: direction } = filter;
    const { headers } = request;
    if (
      !request.hasBody ||
      !filter.compressesRequests ||
      !direction.enabled() ||
      !direction.longEnough(headers) ||
      !direction.allowsType(headers) ||
      getHeader(headers, "content-encoding") !== undefined
    ) {
      direction.stats.skipped.inc();
      return "go";
    }
    request.setRequestLength(-1);
    setHeader(headers, "content-encoding", filter.library.coding);
    direction.stats.done.inc();
    this.up = new Body(filter.library, direction.stats);
    return "go";
  }

  requestData(data: Buffer): Buffer {
    return this.up?.push(data) ?? data;
  }

  requestEnd(): Buffer | undefined {
    return this.up?.finish();
  }

  onResponse(): Step {
    const { filter, request } = this;
    const { response } = filter;
    const headers = request.responseHeaders;
    const worth = filter.compresses(this.route) && response.longEnough(headers);
    const compressible = worth && this.compressible(headers);
    if (request.responseHasBody && worth && this.accepted(headers) && compressible) {
      weakTagOnly(headers);
      request.setResponseLength(-1);
      setHeader(headers, "content-encoding", filter.library.coding);
      response.stats.done.inc();
      this.down = new Body(filter.library, response.stats);
    } else response.stats.skipped.inc();
    // Whether it was or not: a cache in front has to know that it may be.
    if (compressible) varyByEncoding(headers);
    return "go";
  }

  responseData(data: Buffer): Buffer {
    return this.down?.push(data) ?? data;
  }

  responseEnd(): Buffer | undefined {
    return this.down?.finish();
  }

  close(): void {
    this.up?.close();
    this.down?.close();
  }

  private compressible(headers: FlatHeaders): boolean {
    const { filter } = this;
    if (this.request.status === 101 || !filter.response.allowsType(headers)) return false;
    if (hasToken(getJoined(headers, "cache-control"), "no-transform")) return false;
    if (filter.disableOnEtag && getHeader(headers, "etag") !== undefined) {
      filter.count("not_compressed_etag");
      return false;
    }
    return getHeader(headers, "content-encoding") === undefined;
  }

  /** Whether the client takes what this filter makes, and no other of the chain makes what it likes better. */
  private accepted(headers: FlatHeaders): boolean {
    const { filter, chain, accept } = this;
    if (accept === undefined) {
      filter.count("no_accept_header");
      return false;
    }
    const type = mediaType(headers);
    chain.choice ??= chooseCoding(
      accept,
      chain.filters
        .filter(({ response }) => type === "" || response.types.has(type))
        .map(({ library, chooseFirst }) => ({ coding: library.coding, chooseFirst })),
    );
    const { coding, why } = chain.choice;
    const mine = coding === filter.library.coding;
    filter.count(why === "chosen" ? `header_compressor_${mine ? "used" : "overshadowed"}` : `header_${why}`);
    return mine;
  }
}

/** A strong tag says that the bytes are the same, which they are not. RFC 9110, 8.8.1 */
function weakTagOnly(headers: FlatHeaders): void {
  const tag = getHeader(headers, "etag");
  if (tag !== undefined && tag.length > 2 && !/^w\//i.test(tag)) removeHeader(headers, "etag");
}

function varyByEncoding(headers: FlatHeaders): void {
  const vary = getJoined(headers, "vary");
  if (vary === undefined) headers.push("vary", "Accept-Encoding");
  else if (!hasToken(vary, "accept-encoding")) setHeader(headers, "vary", `${vary}, Accept-Encoding`);
}
