import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
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
  expect(encodeResponse("sotw", typeUrl, { ...push, resources: [] }, 1).length).toBeLessThan(100);
});
