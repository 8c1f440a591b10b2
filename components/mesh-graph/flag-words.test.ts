import { expect, it } from "vitest";
import { grpcName, isKnownFlag } from "./flag-words.ts";

it("names gRPC's statuses, and leaves a number that is none as it is", () => {
  expect(["0", "14", "16", "42"].map(grpcName)).toEqual(["0 OK", "14 UNAVAILABLE", "16 UNAUTHENTICATED", "42"]);
});

it("has words for what a sidecar sets, and none for what it has never heard of", () => {
  expect(["DI", "FI", "UF", "DC"].every(isKnownFlag)).toBe(true);
  expect(isKnownFlag("XX")).toBe(false);
});
