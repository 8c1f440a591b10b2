import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";
import type { DescMessage } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "../../../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  type Brotli,
  Brotli_EncoderMode,
  BrotliSchema,
} from "../../../gen/proto/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js";
import {
  type Brotli as Unbrotli,
  BrotliSchema as UnbrotliSchema,
} from "../../../gen/proto/envoy/extensions/compression/brotli/decompressor/v3/brotli_pb.js";
import {
  type Gzip,
  Gzip_CompressionStrategy,
  GzipSchema,
} from "../../../gen/proto/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js";
import {
  type Gzip as Gunzip,
  GzipSchema as GunzipSchema,
} from "../../../gen/proto/envoy/extensions/compression/gzip/decompressor/v3/gzip_pb.js";
import {
  type Zstd,
  Zstd_Strategy,
  ZstdSchema,
} from "../../../gen/proto/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js";
import {
  type Zstd as Unzstd,
  ZstdSchema as UnzstdSchema,
} from "../../../gen/proto/envoy/extensions/compression/zstd/decompressor/v3/zstd_pb.js";
import type { SupportedFields } from "../../request/filter.ts";
import { SyncCodec } from "./sync-codec.ts";

/** One coding of content, one way. */
export interface Library {
  /** As in `content-encoding`. */
  readonly coding: string;
  /** In the names of counters. */
  readonly statName: string;
  readonly flush: number;
  readonly finish: number;
  open(): SyncCodec;
}

/** What one piece of a body may become when it is decompressed, whatever the ratio says. */
const maxPieceBytes = 16 * 1024 * 1024;

type Opener<C> = (config: C) => () => SyncCodec;

const gzip: Opener<Gzip> = (config) => {
  const options = {
    level: config.compressionLevel === 0 ? constants.Z_DEFAULT_COMPRESSION : config.compressionLevel,
    memLevel: bounded("memory_level", config.memoryLevel ?? 5, 1, 9),
    windowBits: bounded("window_bits", config.windowBits ?? 12, 9, 15),
    strategy: strategies[config.compressionStrategy],
    chunkSize: chunkSize(config.chunkSize),
  };
  return () => new SyncCodec(createGzip(options));
};

const strategies: Record<Gzip_CompressionStrategy, number> = {
  [Gzip_CompressionStrategy.DEFAULT_STRATEGY]: constants.Z_DEFAULT_STRATEGY,
  [Gzip_CompressionStrategy.FILTERED]: constants.Z_FILTERED,
  [Gzip_CompressionStrategy.HUFFMAN_ONLY]: constants.Z_HUFFMAN_ONLY,
  [Gzip_CompressionStrategy.RLE]: constants.Z_RLE,
  [Gzip_CompressionStrategy.FIXED]: constants.Z_FIXED,
};

const gunzip: Opener<Gunzip> = (config) => {
  const options = {
    windowBits: bounded("window_bits", config.windowBits ?? 15, 9, 15),
    chunkSize: chunkSize(config.chunkSize),
    maxOutputLength: maxPieceBytes,
  };
  return () => new SyncCodec(createGunzip(options));
};

const brotli: Opener<Brotli> = (config) => {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: bounded("quality", config.quality ?? 3, 0, 11),
    [constants.BROTLI_PARAM_MODE]: brotliModes[config.encoderMode],
    [constants.BROTLI_PARAM_LGWIN]: bounded("window_bits", config.windowBits ?? 18, 10, 24),
    [constants.BROTLI_PARAM_LGBLOCK]: bounded("input_block_bits", config.inputBlockBits ?? 24, 16, 24),
    [constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING]: Number(config.disableLiteralContextModeling),
  };
  const size = chunkSize(config.chunkSize);
  return () => new SyncCodec(createBrotliCompress({ params, chunkSize: size }));
};

const brotliModes: Record<Brotli_EncoderMode, number> = {
  [Brotli_EncoderMode.DEFAULT]: constants.BROTLI_MODE_GENERIC,
  [Brotli_EncoderMode.GENERIC]: constants.BROTLI_MODE_GENERIC,
  [Brotli_EncoderMode.TEXT]: constants.BROTLI_MODE_TEXT,
  [Brotli_EncoderMode.FONT]: constants.BROTLI_MODE_FONT,
};

const unbrotli: Opener<Unbrotli> = (config) => {
  const options = {
    params: {
      [constants.BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION]: config.disableRingBufferReallocation,
    },
    chunkSize: chunkSize(config.chunkSize),
    maxOutputLength: maxPieceBytes,
  };
  return () => new SyncCodec(createBrotliDecompress(options));
};

const zstd: Opener<Zstd> = (config) => {
  const params: Record<number, number> = {
    [constants.ZSTD_c_compressionLevel]: config.compressionLevel ?? 3,
    [constants.ZSTD_c_checksumFlag]: Number(config.enableChecksum),
  };
  // Envoy's numbers are the library's own.
  if (config.strategy !== Zstd_Strategy.DEFAULT) params[constants.ZSTD_c_strategy] = config.strategy;
  const size = chunkSize(config.chunkSize);
  return () => new SyncCodec(createZstdCompress({ params, chunkSize: size }));
};

const unzstd: Opener<Unzstd> = (config) => {
  const options = { chunkSize: chunkSize(config.chunkSize), maxOutputLength: maxPieceBytes };
  return () => new SyncCodec(createZstdDecompress(options));
};

function bounded(field: string, value: number, min: number, max: number): number {
  if (value < min || value > max) throw new Error(`${field}: must be between ${min} and ${max}, not ${value}`);
  return value;
}

const chunkSize = (size: number | undefined): number => bounded("chunk_size", size ?? 4096, 4096, 65_536);

interface Kind {
  readonly schema: DescMessage;
  readonly fields: readonly string[];
  readonly library: Omit<Library, "open">;
  open(config: Any): () => SyncCodec;
}

const zlibFlush = { flush: constants.Z_SYNC_FLUSH, finish: constants.Z_FINISH };
const brotliFlush = { flush: constants.BROTLI_OPERATION_FLUSH, finish: constants.BROTLI_OPERATION_FINISH };
const zstdFlush = { flush: constants.ZSTD_e_flush, finish: constants.ZSTD_e_end };
const named = {
  gzip: { coding: "gzip", statName: "gzip" },
  brotli: { coding: "br", statName: "brotli" },
  zstd: { coding: "zstd", statName: "zstd" },
};

const compressors: readonly Kind[] = [
  {
    schema: GzipSchema,
    fields: ["memory_level", "compression_level", "compression_strategy", "window_bits", "chunk_size"],
    library: { ...named.gzip, ...zlibFlush },
    open: (config) => opener(gzip, anyUnpack(config, GzipSchema)),
  },
  {
    schema: BrotliSchema,
    fields: [
      "quality",
      "encoder_mode",
      "window_bits",
      "input_block_bits",
      "chunk_size",
      "disable_literal_context_modeling",
    ],
    library: { ...named.brotli, ...brotliFlush },
    open: (config) => opener(brotli, anyUnpack(config, BrotliSchema)),
  },
  {
    schema: ZstdSchema,
    fields: ["compression_level", "enable_checksum", "strategy", "chunk_size"],
    library: { ...named.zstd, ...zstdFlush },
    open: (config) => opener(zstd, anyUnpack(config, ZstdSchema)),
  },
];

const decompressors: readonly Kind[] = [
  {
    schema: GunzipSchema,
    fields: ["window_bits", "chunk_size", "max_inflate_ratio"],
    library: { ...named.gzip, ...zlibFlush },
    open: (config) => opener(gunzip, anyUnpack(config, GunzipSchema)),
  },
  {
    schema: UnbrotliSchema,
    fields: ["disable_ring_buffer_reallocation", "chunk_size"],
    library: { ...named.brotli, ...brotliFlush },
    open: (config) => opener(unbrotli, anyUnpack(config, UnbrotliSchema)),
  },
  {
    schema: UnzstdSchema,
    fields: ["chunk_size"],
    library: { ...named.zstd, ...zstdFlush },
    open: (config) => opener(unzstd, anyUnpack(config, UnzstdSchema)),
  },
];

function opener<C>(open: Opener<C>, config: C | undefined): () => SyncCodec {
  if (config === undefined) throw new Error("cannot be read");
  return open(config);
}

const schemasOf = (kinds: readonly Kind[]): DescMessage[] => kinds.map(({ schema }) => schema);
const fieldsOf = (kinds: readonly Kind[]): SupportedFields =>
  Object.fromEntries(kinds.map(({ schema, fields }) => [schema.typeName, fields]));

export const compressorSchemas = schemasOf(compressors);
export const compressorFields = fieldsOf(compressors);
export const decompressorSchemas = schemasOf(decompressors);
export const decompressorFields = fieldsOf(decompressors);

/** Throws an Error naming the field, or the type that is not supported. */
export const compressorLibrary = (config: TypedExtensionConfig | undefined): Library => libraryOf(compressors, config);
export const decompressorLibrary = (config: TypedExtensionConfig | undefined): Library =>
  libraryOf(decompressors, config);

function libraryOf(kinds: readonly Kind[], config: TypedExtensionConfig | undefined): Library {
  const any = config?.typedConfig;
  if (any === undefined) throw new Error("typed_config: required");
  const name = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
  const kind = kinds.find(({ schema }) => schema.typeName === name);
  if (kind === undefined) throw new Error(`typed_config: ${name} is not supported`);
  return { ...kind.library, open: kind.open(any) };
}

/** Of gzip's own config: how much larger than what came a body may become; Envoy's default elsewhere. */
export function maxInflateRatio(config: TypedExtensionConfig | undefined): number {
  const any = config?.typedConfig;
  return (any && anyUnpack(any, GunzipSchema)?.maxInflateRatio) ?? 100;
}
