import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "../../../server/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { readVarint, VarintSource } from "../../../server/lib/varint.ts";

/** What a bench client reads of a DeltaDiscoveryResponse; a real decoder in 200 clients would be what is measured. */
export interface RawResponse {
  typeUrl: string;
  nonce: string;
  resources: { name: string; version: string }[];
  removed: number;
  bytes: number;
}

export function readResponse(bytes: Buffer): RawResponse {
  const response: RawResponse = { typeUrl: "", nonce: "", resources: [], removed: 0, bytes: bytes.length };
  forEachField(bytes, 0, bytes.length, (field, start, end) => {
    if (field === 2) response.resources.push(readResource(bytes, start, end));
    else if (field === 4) response.typeUrl = bytes.toString("latin1", start, end);
    else if (field === 5) response.nonce = bytes.toString("latin1", start, end);
    else if (field === 6) response.removed++;
  });
  return response;
}

function readResource(bytes: Buffer, from: number, to: number): { name: string; version: string } {
  const resource = { name: "", version: "" };
  forEachField(bytes, from, to, (field, start, end) => {
    if (field === 3) resource.name = bytes.toString("utf8", start, end);
    else if (field === 1) resource.version = bytes.toString("latin1", start, end);
  });
  return resource;
}

const source = new VarintSource();

function forEachField(
  bytes: Buffer,
  from: number,
  to: number,
  read: (field: number, start: number, end: number) => void,
) {
  let at = from;
  while (at < to) {
    source.reset(bytes, at, to);
    const key = readVarint(source);
    if ((key & 7) !== 2) throw new Error(`wire type ${key & 7} in a discovery response`);
    const length = readVarint(source);
    const start = source.at;
    at = start + length;
    read(key >> 3, start, at);
  }
}

export const encodeRequest = (init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): Buffer =>
  Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, init)));

/** ADS with bytes in and out. */
export const adsPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
