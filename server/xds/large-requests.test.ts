import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DeltaDiscoveryRequestSchema } from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { decodeRequest } from "./discovery-messages.ts";
import { LargeRequests } from "./large-requests.ts";
import { RequestError } from "./request-error.ts";
import { TypeUrl } from "./types.ts";

const many = Array.from({ length: 300 }, (_, i) => `outbound|8080|v1|service-${i}.default.svc.cluster.local`);
const versions = Object.fromEntries(many.map((name, i) => [name, String(i).padStart(16, "0")]));

const request = (init: { node?: string; names?: string[]; held?: Record<string, string>; nonce?: string }) =>
  toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, {
      ...(init.node && { node: { id: init.node } }),
      typeUrl: TypeUrl.endpoint,
      resourceNamesSubscribe: init.names ?? many,
      initialResourceVersions: init.held ?? versions,
      resourceNamesUnsubscribe: ["gone"],
      responseNonce: init.nonce ?? "",
    }),
  );

test("a large request says what a small one would", () => {
  const read = decodeRequest("delta", request({ node: "n", nonce: "7" }));
  expect(read).toMatchObject({
    typeUrl: TypeUrl.endpoint,
    responseNonce: "7",
    unsubscribe: ["gone"],
    error: undefined,
  });
  expect(read.node?.id).toBe("n");
  expect(read.subscribe).toEqual(many);
  expect(Object.fromEntries(read.initialVersions)).toEqual(versions);
});

test("lists are one object for all who say the same, whatever node, nonce and order", () => {
  const requests = new LargeRequests();
  const first = requests.read("delta", request({ node: "a" }));
  const again = requests.read("delta", request({ node: "b" }));
  expect(Buffer.from(again.node ?? []).toString()).toContain("b");
  const turned = { held: Object.fromEntries(Object.entries(versions).reverse()), names: many.toReversed(), nonce: "9" };
  const other = requests.read("delta", request(turned));
  for (const { subscribe, versions } of [again, other]) {
    expect(subscribe).toBe(first.subscribe);
    expect(versions).toBe(first.versions);
  }
});

test.each([
  ["another version", { held: { ...versions, [many[7] ?? ""]: "x".repeat(16) } }],
  ["another name", { names: [...many.slice(1), `${many[0]}`.replace("v1", "v2")] }],
  ["a name twice in the place of another", { names: [...many.slice(10), ...many.slice(10, 20)] }],
  ["one name less", { names: many.slice(1) }],
])("%s is another list", (_, init) => {
  const requests = new LargeRequests();
  const first = requests.read("delta", request({}));
  const other = requests.read("delta", request(init));
  expect(other.subscribe === first.subscribe && other.versions === first.versions).toBe(false);
  expect(other.subscribe).toEqual("names" in init ? init.names : many);
  expect(Object.fromEntries(other.versions)).toEqual("held" in init ? init.held : versions);
});

test("nothing of a message's room is kept, which is used again for the next", () => {
  const requests = new LargeRequests();
  const room = Buffer.from(request({ node: "a", nonce: "7" }));
  const first = requests.read("delta", room);
  room.fill(255);
  expect(Buffer.from(first.node ?? []).toString()).toContain("a");
  expect(decodeRequest("delta", first.rest).responseNonce).toBe("7");
  expect(first.subscribe).toEqual(many);
  const again = requests.read("delta", request({ node: "b", nonce: "7" }));
  expect(again.subscribe).toBe(first.subscribe);
  expect(again.versions).toBe(first.versions);
});

test("entries that differ in any one byte are others", () => {
  const names = Array.from({ length: 200 }, (_, i) => `${i}-`.padEnd(10 + (i % 40), "n"));
  const turned = names.toReversed();
  const requests = new LargeRequests();
  const first = requests.read("delta", request({ names, held: {} }));
  expect(requests.read("delta", request({ names: turned, held: {} })).subscribe).toBe(first.subscribe);
  for (const [entry, name] of turned.entries()) {
    const at = entry % name.length;
    const changed = `${name.slice(0, at)}~${name.slice(at + 1)}`;
    const other = requests.read("delta", request({ names: turned.with(entry, changed), held: {} }));
    expect(other.subscribe[entry]).toBe(changed);
  }
});

test("what is remembered is bounded", () => {
  const requests = new LargeRequests();
  const first = requests.read("delta", request({}));
  for (let i = 0; i < 60; i++) {
    const names = Array.from({ length: 10_000 }, (_, j) => `${"x".repeat(40 + i)}${j}`);
    requests.read("delta", request({ names, held: {} }));
  }
  expect(requests.read("delta", request({})).subscribe).not.toBe(first.subscribe);
});

test.each([1, 3, 4_999])("a message that is cut off after all but %i bytes is refused", (missing) => {
  expect(() => decodeRequest("delta", request({}).subarray(0, -missing))).toThrow(RequestError);
});
