import type { CustomTag } from "../../gen/proto/envoy/type/tracing/v3/custom_tag_pb.js";
import { fail, ok, type Result } from "../../lib/result.ts";
import { getJoined } from "../http/headers.ts";
import type { RequestRecord } from "../record.ts";
import { textFormatter } from "./formatters.ts";

/** Reads one custom tag off a record; empty means that the tag is left out. */
export interface CustomTagReader {
  name: string;
  read(record: RequestRecord): string;
}

type Metadata = RequestRecord["routeMetadata"];

/** Prepares custom tags of an access log or a tracer; a kind that is not supported is an error that names it. */
export function customTagReaders(tags: readonly CustomTag[]): Result<CustomTagReader[], string> {
  const readers: CustomTagReader[] = [];
  const errors: string[] = [];
  for (const tag of tags) {
    const read = readerOf(tag);
    if (typeof read === "string") errors.push(`custom_tags "${tag.tag}": ${read}`);
    else readers.push({ name: tag.tag, read });
  }
  return errors.length > 0 ? fail(...errors) : ok(readers);
}

function readerOf({ type }: CustomTag): CustomTagReader["read"] | string {
  switch (type.case) {
    case "literal": {
      const { value } = type.value;
      return () => value;
    }
    case "environment": {
      const value = process.env[type.value.name] ?? type.value.defaultValue;
      return () => value;
    }
    case "requestHeader": {
      const name = type.value.name.toLowerCase();
      const { defaultValue } = type.value;
      return (record) => getJoined(record.requestHeaders, name) || defaultValue;
    }
    case "metadata": {
      const { kind, metadataKey, defaultValue } = type.value;
      const source = metadataSource(kind?.kind.case);
      if (source === undefined) return `metadata kind ${kind?.kind.case ?? "(none)"} is not supported`;
      const path = (metadataKey?.path ?? []).map((part) => part.segment.value ?? "");
      const key = metadataKey?.key ?? "";
      return (record) => at(source(record), key, path) || defaultValue;
    }
    case "value": {
      const format = textFormatter(type.value, true);
      return format.ok ? format.value : format.errors.join("; ");
    }
    default:
      return `${type.case ?? "(none)"} is not supported`;
  }
}

function metadataSource(kind: string | undefined): ((record: RequestRecord) => Metadata) | undefined {
  switch (kind) {
    case "host":
      return (record) => record.upstreamHostMetadata;
    case "route":
      return (record) => record.routeMetadata;
    case "cluster":
      return (record) => record.clusterMetadata;
    case "request":
      return (record) => record.dynamicMetadata;
    default:
      return undefined;
  }
}

function at(metadata: Metadata, key: string, path: readonly string[]): string {
  let value: unknown = metadata?.[key];
  for (const segment of path) {
    if (value === null || typeof value !== "object") return "";
    value = (value as Record<string, unknown>)[segment];
  }
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
