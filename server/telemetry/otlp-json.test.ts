import { expect, it } from "vitest";
import { parseOtlpJson } from "./otlp-json.ts";

it("takes integers of 64 bits as they are written, bare or quoted, within what 64 bits hold", () => {
  const parsed = parseOtlpJson(
    '{"a":{"intValue":9223372036854775807},"b":{"intValue":"9223372036854775807"},"c":{"intValue":-9223372036854775809},"d":1.5e300,"e":7}',
  );
  expect(parsed).toEqual({
    a: { intValue: "9223372036854775807" },
    b: { intValue: "9223372036854775807" },
    c: { intValue: "-9223372036854775808" },
    d: 1.5e300,
    e: 7,
  });
});

it("has ids of hex as proto JSON has bytes, and none of what is no hex", () => {
  expect(parseOtlpJson('{"traceId":"0aF7","spanId":"zz","parentSpanId":3}')).toEqual({
    traceId: Buffer.from("0af7", "hex").toString("base64"),
    spanId: "",
    parentSpanId: "",
  });
});
