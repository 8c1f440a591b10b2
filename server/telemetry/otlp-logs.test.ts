import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ResourceLogsSchema } from "../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import { logRecords } from "./otlp-logs.ts";

const text = (value: string) => ({ value: { case: "stringValue" as const, value } });
const nowMs = 1_767_225_600_000;

it("reads a record with what made it, and joins it to its trace", () => {
  const logs = create(ResourceLogsSchema, {
    resource: { attributes: [{ key: "service.name", value: text("reviews") }] },
    scopeLogs: [
      {
        scope: { name: "app.db", attributes: [{ key: "team", value: text("shop") }] },
        logRecords: [
          {
            timeUnixNano: 1_767_225_599_000_001_000n,
            severityNumber: 17,
            severityText: "ERROR",
            body: text("first line\nsecond\u0007"),
            attributes: [{ key: "rows", value: { value: { case: "intValue", value: 3n } } }],
            traceId: Buffer.from("0af7651916cd43dd8448eb211c80319c", "hex"),
            spanId: Buffer.from("b7ad6b7169203331", "hex"),
          },
        ],
      },
    ],
  });
  expect(logRecords([logs], nowMs)).toEqual([
    {
      atUs: 1_767_225_599_000_001,
      service: "reviews",
      severity: 17,
      severityText: "ERROR",
      body: "first line\nsecond",
      eventName: "",
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      scope: "app.db",
      scopeAttributes: { team: "shop" },
      attributes: { rows: 3 },
      resource: { "service.name": "reviews" },
    },
  ]);
});

it("has a time for every record, and JSON for a structured body", () => {
  const kvlist = { case: "kvlistValue" as const, value: { values: [{ key: "a", value: text("b") }] } };
  const logs = create(ResourceLogsSchema, {
    scopeLogs: [{ logRecords: [{ body: { value: kvlist } }, { observedTimeUnixNano: 5_000_000n }] }],
  });
  const [structured, observed] = logRecords([logs], nowMs);
  expect(structured).toMatchObject({ atUs: nowMs * 1000, service: "unknown", body: '{"a":"b"}', traceId: "" });
  expect(observed).toMatchObject({ atUs: 5000, body: "" });
});
