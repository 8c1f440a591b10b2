import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ResourceSpansSchema } from "../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import { spanRecords } from "./span.ts";

it("a span's attributes have a bound together, its times are numbers that a database gives back", () => {
  const attributes = Array.from({ length: 64 }, (_, i) => ({
    key: `key-${i}`,
    value: { value: { case: "stringValue" as const, value: "x".repeat(2000) } },
  }));
  const ids = { traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(2) };
  const times = { startTimeUnixNano: 1000n, endTimeUnixNano: 2n ** 64n - 1n };
  const resource = create(ResourceSpansSchema, { scopeSpans: [{ spans: [{ ...ids, ...times, attributes }] }] });
  const [span] = spanRecords([resource]).spans;
  expect(JSON.stringify(span?.attributes).length).toBeLessThan(9000);
  expect(Object.keys(span?.attributes ?? {})).toHaveLength(4);
  expect(span?.durationUs).toBeLessThan(Number.MAX_SAFE_INTEGER);
});

it("spans of health checks are left out", () => {
  const span = (id: number, agent: string) => ({
    traceId: new Uint8Array(16).fill(id),
    spanId: new Uint8Array(8).fill(id),
    attributes: [{ key: "user_agent", value: { value: { case: "stringValue" as const, value: agent } } }],
  });
  const resource = create(ResourceSpansSchema, { scopeSpans: [{ spans: [span(1, "Envoy/HC"), span(2, "curl/8")] }] });
  expect(spanRecords([resource])).toMatchObject({ spans: [{ attributes: { user_agent: "curl/8" } }], rejected: 0 });
});
