import { expect, it } from "vitest";
import { flagCount, flagNames } from "../../server/wire/response-flags.ts";
import { grpcName, isKnownFlag, knownFlags, loggedFlags } from "./flag-words.ts";

it("names gRPC's statuses, and leaves a number that is none as it is", () => {
  expect(["0", "14", "16", "42"].map(grpcName)).toEqual(["0 OK", "14 UNAVAILABLE", "16 UNAUTHENTICATED", "42"]);
});

it("knows every flag that Envoy's records can carry, and the two that only its text logs have", () => {
  const carried = flagNames(2 ** flagCount - 1);
  expect(loggedFlags).toEqual(carried);
  expect(knownFlags).toHaveLength(30);
  expect(isKnownFlag("XX")).toBe(false);
});
