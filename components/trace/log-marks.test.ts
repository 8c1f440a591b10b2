import { expect, it } from "vitest";
import type { ApplicationLog, Trace, TraceSpan } from "../../server/contract/index.ts";
import { logMarks } from "./log-marks.ts";

it("puts lines on the spans in which they were written, with the span's correction", () => {
  const span = (id: string, spanId: string, skewUs = 0): TraceSpan =>
    ({ id, spanId, skewUs, missing: false }) as TraceSpan;
  const trace = { startMs: 1000, tree: [span("1", "a"), span("2", "b", 500), span("3", "a")] } as Trace;
  const line = (id: number, spanId: string, at: number) =>
    ({ id, spanId, at, severity: 9, body: "x" }) as ApplicationLog;
  const marks = logMarks(trace, [
    line(1, "a", 1002),
    line(2, "a", 1001),
    line(3, "b", 1003),
    line(4, "", 1001),
    line(5, "z", 1001),
  ]);
  expect([...marks].map(([id, own]) => [id, own.map((mark) => [mark.id, mark.atUs])])).toEqual([
    [
      "1",
      [
        [2, 1000],
        [1, 2000],
      ],
    ],
    ["2", [[3, 3500]]],
  ]);
});
