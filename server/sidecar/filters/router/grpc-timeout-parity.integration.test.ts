import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { staticCluster, toCluster } from "../../test-plane.ts";
import { everyHost, get, match, RawParity } from "../../testing/raw-parity.ts";
import { envoyMissing } from "../../testing/real-envoy.ts";

// What is made of the timeout that a gRPC client asks for, by the same bytes to real Envoy and to our data path.

const parity = new RawParity();

/** @param timeout "": without */
function grpcCall(path: string, timeout: string): string {
  const asked = timeout === "" ? "" : `grpc-timeout: ${timeout}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n${asked}\r\n`;
}

beforeAll(async () => {
  if (envoyMissing) return;
  const routes: JsonObject[] = [
    { ...match("/hang"), route: { cluster: "up", timeout: "0.1s" } },
    // What a gRPC client's own timeout is made of, by both ways to say so.
    { match: { prefix: "/grpc-max" }, route: { cluster: "up", timeout: "9s", max_grpc_timeout: "5s" } },
    { match: { prefix: "/grpc-any" }, route: { cluster: "up", timeout: "9s", max_grpc_timeout: "0s" } },
    { match: { prefix: "/grpc-none" }, route: { cluster: "up", timeout: "9s" } },
    {
      match: { prefix: "/grpc-offset" },
      route: { cluster: "up", max_grpc_timeout: "0s", grpc_timeout_offset: "0.5s" },
    },
    {
      match: { prefix: "/grpc-per-try" },
      route: {
        cluster: "up",
        timeout: "9s",
        max_grpc_timeout: "0s",
        retry_policy: { retry_on: "5xx", per_try_timeout: "2s" },
      },
    },
    {
      match: { prefix: "/grpc-deadline" },
      route: {
        cluster: "up",
        timeout: "9s",
        max_grpc_timeout: "1s",
        max_stream_duration: { grpc_timeout_header_max: "5s", grpc_timeout_header_offset: "0.5s" },
      },
    },
    {
      match: { prefix: "/grpc-unbounded" },
      route: { cluster: "up", max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" } },
    },
    { match: { prefix: "/duration" }, route: { cluster: "up", max_stream_duration: { max_stream_duration: "0.1s" } } },
    toCluster("up"),
  ];
  await parity.start({
    clusters: [staticCluster("up", [await parity.upstream()])],
    hosts: [everyHost(routes)],
  });
});
afterAll(() => parity.close());

describe.skipIf(envoyMissing)("timeouts of gRPC, like Envoy", () => {
  it.each<[string, string]>([
    ...[
      "/grpc-max",
      "/grpc-any",
      "/grpc-none",
      "/grpc-offset",
      "/grpc-per-try",
      "/grpc-deadline",
      "/grpc-unbounded",
    ].flatMap((path) =>
      [
        ...[
          "",
          "1S",
          "3000m",
          "6S",
          "2000000u",
          "99999999H",
          "99999999S",
          "700m",
          "5x",
          "S",
          "123456789m",
          "-1S",
          "1.5S",
        ],
      ].map((timeout): [string, string] => [`${path} grpc-timeout ${timeout}`, grpcCall(path, timeout)]),
    ),
    ["a gRPC timeout of a call that is none", get("/grpc-max", "grpc-timeout: 1S\r\n")],
    ["a deadline of a call that is none", get("/grpc-deadline", "grpc-timeout: 1S\r\n")],
    ["a gRPC call that is too late", grpcCall("/grpc-max/hang", "100m")],
    ["a gRPC call past its deadline", grpcCall("/grpc-deadline/hang", "600m")],
    ["a gRPC call past its route's timeout", grpcCall("/hang", "")],
    ["a gRPC call past its stream's time", grpcCall("/duration", "")],
  ])("%s", (_, text) => parity.compare(text));

  it.each<[string, string, string]>([
    ["a gRPC call too late", grpcCall("/grpc-max/hang", "100m"), "200 UT response_timeout"],
    ["a gRPC call past its deadline", grpcCall("/grpc-deadline/hang", "600m"), "200 - max_duration_timeout"],
  ])("log: %s", (_, text, expected) => parity.compareLog(text, expected));
});
