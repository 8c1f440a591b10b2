import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Buffer as BufferConfig,
  BufferPerRouteSchema,
  BufferSchema,
} from "../../gen/proto/envoy/extensions/filters/http/buffer/v3/buffer_pb.js";
import { getHeader } from "../http/headers.ts";
import {
  type FilterFactory,
  type HttpFilter,
  type RequestContext,
  type Step,
  type StreamFilter,
  Wants,
} from "../request/filter.ts";
import type { Hold } from "../request/hold.ts";

/** Sends a request on when it is whole: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/buffer_filter */
export const bufferFilter: FilterFactory = {
  schema: BufferSchema,
  perRouteSchema: BufferPerRouteSchema,
  fields: {
    [BufferSchema.typeName]: ["max_request_bytes"],
    [BufferPerRouteSchema.typeName]: ["disabled", "buffer"],
  },
  compile: (name, config) => new BufferFilter(name, maxBytes(anyUnpack(config, BufferSchema))),
  compilePerRoute(config: Any): RouteLimit {
    const override = anyUnpack(config, BufferPerRouteSchema)?.override;
    if (override?.case === undefined) throw new Error("override: disabled or buffer is required");
    return { maxBytes: override.case === "buffer" ? maxBytes(override.value) : undefined };
  },
};

/** Undefined: nothing waits. */
interface RouteLimit {
  readonly maxBytes: number | undefined;
}

function maxBytes(config: BufferConfig | undefined): number {
  const bytes = config?.maxRequestBytes ?? 0;
  if (bytes === 0) throw new Error("max_request_bytes: must be greater than 0");
  return bytes;
}

class BufferFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData;
  private readonly maxBytes: number;

  constructor(name: string, limit: number) {
    this.name = name;
    this.maxBytes = limit;
  }

  open(request: RequestContext): StreamFilter | undefined {
    if (!request.hasBody) return undefined;
    const route = request.perFilter<RouteLimit>(this.name);
    const limit = route === undefined ? this.maxBytes : route.maxBytes;
    return limit === undefined ? undefined : new Buffered(request, limit);
  }
}

class Buffered implements StreamFilter {
  private readonly request: RequestContext;
  private readonly limit: number;
  private hold: Hold | undefined = undefined;
  private bytes = 0;

  constructor(request: RequestContext, limit: number) {
    this.request = request;
    this.limit = limit;
  }

  onRequest(): Step {
    this.request.limitRequest(this.limit);
    this.hold = this.request.hold(() => {});
    return this.hold;
  }

  requestData(data: Buffer): Buffer {
    this.bytes += data.length;
    return data;
  }

  requestEnd(): undefined {
    // By now it is known how long it is.
    if (getHeader(this.request.headers, "content-length") === undefined) this.request.setRequestLength(this.bytes);
    this.hold?.resume();
  }
}
