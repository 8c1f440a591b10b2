import { expect, it } from "vitest";
import { clientKind, clientKindsOf, clientVersion, isApplication } from "./client-kind.ts";

const named = (implementation: string) => ({ implementation });

it.each([
  ["limpid-sidecar 0.1.0", "bundled", false, "0.1.0"],
  ["envoy 1.40.0", "envoy", false, "1.40.0"],
  ["limpid-sdk 0.1.0", "sdk", true, "0.1.0"],
  ["gRPC Node Pure JS 1.14.4", "grpc", true, "1.14.4"],
  ["gRPC C-core linux C-core 51.0.0", "grpc", true, "51.0.0"],
  ["gRPC Go 1.76.0-dev", "grpc", true, "1.76.0-dev"],
  ["pilot-agent", "other", false, ""],
  ["", null, false, ""],
])("%s", (implementation, kind, application, version) => {
  const client = named(implementation);
  expect(clientKind(client)).toBe(kind);
  expect(isApplication(client)).toBe(application);
  expect(clientVersion(client)).toBe(version);
});

it("offers the kinds that there are", () => {
  expect(clientKindsOf(["envoy 1.40.0", "", "limpid-sdk 0.1.0", "envoy 1.39.0"].map(named))).toEqual(["envoy", "sdk"]);
});
