import { fromBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { encodeResponse } from "./encoded-response.ts";
import type { Push } from "./exchange.ts";
import { type Resource, TypeUrl } from "./types.ts";

const resource = (name: string, bytes: number): Resource => ({
  name,
  version: `${bytes}v`,
  value: new Uint8Array(bytes).fill(7),
});
const push: Push = {
  nonce: "12",
  version: "whole",
  resources: [resource("outbound|80||ä", 0), resource("b", 127), resource("c", 128), resource("d", 100_000)],
  fresh: [],
  removed: ["gone", "ö"],
};
const typeUrl = TypeUrl.cluster;

test("an incremental response reads as it was meant", () => {
  const read = fromBinary(DeltaDiscoveryResponseSchema, encodeResponse("delta", typeUrl, push, 77).toBuffer());
  expect(read).toMatchObject({
    typeUrl,
    nonce: "12",
    systemVersionInfo: "77",
    controlPlane: { identifier: "limpid" },
    removedResources: ["gone", "ö"],
  });
  expect(
    read.resources.map(({ name, version, resource: any }) => ({
      name,
      version,
      value: Uint8Array.from(any?.value ?? []),
    })),
  ).toEqual(push.resources.map(({ name, version, value }) => ({ name, version, value })));
  expect(new Set(read.resources.map(({ resource: any }) => any?.typeUrl))).toEqual(new Set([typeUrl]));
});

test("a whole state, too", () => {
  const read = fromBinary(DiscoveryResponseSchema, encodeResponse("sotw", typeUrl, push, 77).toBuffer());
  expect(read).toMatchObject({ typeUrl, nonce: "12", versionInfo: "whole", controlPlane: { identifier: "limpid" } });
  expect(read.resources.map(({ value }) => Uint8Array.from(value))).toEqual(push.resources.map(({ value }) => value));
  expect(encodeResponse("sotw", typeUrl, { ...push, resources: [] }, 1).byteLength).toBeLessThan(100);
});

const timed: Push = {
  ...push,
  resources: [resource("plain", 3), { ...resource("timed", 300), ttlMs: 1_500 }],
  removed: [],
  heartbeats: [{ ...resource("standing", 7), ttlMs: 30_000 }],
};

test("what has a time says so, on either protocol, and a heartbeat has no content", () => {
  const delta = fromBinary(DeltaDiscoveryResponseSchema, encodeResponse("delta", typeUrl, timed, 1, true).toBuffer());
  expect(
    delta.resources.map(({ name, version, resource, ttl }) => [name, version, resource?.value.length, ttl]),
  ).toEqual([
    ["plain", "3v", 3, undefined],
    ["timed", "300v", 300, durationFromMs(1_500)],
    ["standing", "7v", undefined, durationFromMs(30_000)],
  ]);

  const whole = fromBinary(DiscoveryResponseSchema, encodeResponse("sotw", typeUrl, timed, 1, true).toBuffer());
  const [plain, ...wrapped] = whole.resources;
  expect(plain?.typeUrl).toBe(typeUrl);
  expect(new Set(wrapped.map((any) => any.typeUrl))).toEqual(
    new Set([`type.googleapis.com/${ResourceSchema.typeName}`]),
  );
  const read = wrapped.map(({ value }) => fromBinary(ResourceSchema, value));
  expect(read.map(({ name, version, resource, ttl }) => [name, version, resource?.value.length, ttl])).toEqual([
    ["timed", "300v", 300, durationFromMs(1_500)],
    ["standing", "7v", undefined, durationFromMs(30_000)],
  ]);
});

test("to a client that cannot tell the time it says nothing of it", () => {
  const { heartbeats: _, ...content } = timed;
  const read = fromBinary(DiscoveryResponseSchema, encodeResponse("sotw", typeUrl, content, 1).toBuffer());
  expect(read.resources.map((any) => any.typeUrl)).toEqual([typeUrl, typeUrl]);
});
