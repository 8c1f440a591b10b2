import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ResponseFlagsSchema } from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { flagBits, flagBitsOf, flagCount, flagNames } from "./response-flags.ts";

it("knows every flag of Envoy's message, each by a name of its own", () => {
  const names = ResponseFlagsSchema.fields.map((field) => {
    const value = field.fieldKind === "message" ? {} : true;
    return flagNames(flagBits(create(ResponseFlagsSchema, { [field.localName]: value })));
  });
  expect(names.every((each) => each.length === 1)).toBe(true);
  expect(new Set(names.flat()).size).toBe(ResponseFlagsSchema.fields.length);
});

it("has for each flag the bit before its number in the message", () => {
  for (const { number, localName, fieldKind } of ResponseFlagsSchema.fields) {
    const value = fieldKind === "message" ? {} : true;
    expect(flagBits(create(ResponseFlagsSchema, { [localName]: value }))).toBe(1 << (number - 1));
  }
  expect(flagCount).toBe(ResponseFlagsSchema.fields.length);
});

it("turns sets into bits and back", () => {
  const bits = flagBits(
    create(ResponseFlagsSchema, { delayInjected: true, faultInjected: true, noHealthyUpstream: true }),
  );
  expect(flagNames(bits)).toEqual(["UH", "DI", "FI"]);
  expect(flagBitsOf(["FI", "UH", "DI", "unheard-of"])).toBe(bits);
  expect(flagBits(undefined)).toBe(0);
});

it("keeps the bits that are already stored", () => {
  expect([1 << 0, 1 << 9, 1 << 10, 1 << 14, 1 << 27].map((bit) => flagNames(bit).join())).toEqual([
    "LH",
    "DI",
    "FI",
    "DC",
    "DR",
  ]);
});
