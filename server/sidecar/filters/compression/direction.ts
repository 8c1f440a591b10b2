import type { RuntimeFeatureFlag } from "../../../gen/proto/envoy/config/core/v3/base_pb.js";
import { type FlatHeaders, getHeader } from "../../http/headers.ts";
import type { FilterIo } from "../../request/filter.ts";
import type { Counter, Stats } from "../../stats.ts";
import type { BodyStats } from "./body.ts";

/** What is compressed, one way. */
export interface Direction {
  enabled(): boolean;
  /** In lower case. */
  readonly types: ReadonlySet<string>;
  readonly stats: CodecStats;
  /** Counts those that are too short. */
  longEnough(headers: FlatHeaders): boolean;
  allowsType(headers: FlatHeaders): boolean;
}

interface DirectionConfig {
  readonly enabled?: RuntimeFeatureFlag | undefined;
  readonly minContentLength?: number | undefined;
  readonly contentType: readonly string[];
}

/** @param config undefined: all as it is by default */
export function directionOf(
  config: DirectionConfig | undefined,
  { stats, runtime }: FilterIo,
  prefix: string,
): Direction {
  const types = new Set(
    (config?.contentType.length ? config.contentType : defaultTypes).map((type) => type.toLowerCase()),
  );
  const minLength = config?.minContentLength || 30;
  const tooSmall = stats.counter(`${prefix}content_length_too_small`);
  return {
    enabled: runtime.flag(config?.enabled, true),
    types,
    stats: new CodecStats(stats, prefix, "compressed"),
    longEnough(headers) {
      const length = getHeader(headers, "content-length");
      if (length === undefined || Number(length) >= minLength) return true;
      tooSmall.inc();
      return false;
    },
    allowsType(headers) {
      const type = mediaType(headers);
      return type === "" || types.has(type);
    },
  };
}

/** Of `content-type`, without parameters, in lower case; "" without any. */
export const mediaType = (headers: FlatHeaders): string =>
  (getHeader(headers, "content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** Whether a list of a header's value has a member, whatever the case. */
export const hasToken = (list: string | undefined, token: string): boolean =>
  list?.split(",").some((member) => member.trim().toLowerCase() === token) === true;

/** What was (de)compressed one way, and what was not. */
export class CodecStats implements BodyStats {
  readonly done: Counter;
  readonly skipped: Counter;
  readonly compressedBytes: Counter;
  readonly uncompressedBytes: Counter;

  constructor(stats: Stats, prefix: string, what: "compressed" | "decompressed") {
    this.done = stats.counter(`${prefix}${what}`);
    this.skipped = stats.counter(`${prefix}not_${what}`);
    this.compressedBytes = stats.counter(`${prefix}total_compressed_bytes`);
    this.uncompressedBytes = stats.counter(`${prefix}total_uncompressed_bytes`);
  }
}

const defaultTypes = [
  "text/html",
  "text/plain",
  "text/css",
  "application/javascript",
  "application/x-javascript",
  "text/javascript",
  "text/x-javascript",
  "text/ecmascript",
  "text/js",
  "text/jscript",
  "text/x-js",
  "application/ecmascript",
  "application/x-json",
  "application/xml",
  "application/json",
  "image/svg+xml",
  "text/xml",
  "application/xhtml+xml",
  "application/grpc-web",
  "application/grpc-web+proto",
];
