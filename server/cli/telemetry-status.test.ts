import { expect, it } from "vitest";
import type { TelemetryHealth } from "../contract/index.ts";
import { describeTelemetry } from "./telemetry-status.ts";

const well: TelemetryHealth = {
  ok: true,
  message: "",
  lastWriteMs: 1,
  storeReplaced: null,
  failedFlushes: 0,
  sampling: null,
  exports: [],
  shed: { samples: 0, spans: 0, logs: 0, metricPoints: 0 },
  lateRecords: 0,
  overflowedRecords: 0,
  disbelievedCallers: 0,
  misdatedRecords: 0,
  ignored: { entries: 0, logs: [] },
};

it("says in a line that all is well, and what is not", () => {
  expect(describeTelemetry(well)).toBe("telemetry: all is written\n");
  expect(describeTelemetry(null)).toContain("no answer");
  const counts = { keptErrors: 2, keptSlow: 3, keptRandom: 5, droppedTraces: 90, droppedSpans: 700, lateSpans: 1 };
  const held = { keptElsewhere: 0, truncatedSpans: 0, earlyRounds: 4, heldTraces: 1, heldSpans: 8 };
  expect(describeTelemetry({ ...well, sampling: { ...counts, ...held } })).toBe(
    "telemetry: all is written\n" +
      "traces: 10 kept (2 with an error, 3 slow, 5 by chance), 90 sampled out; 4 rounds ended early for want of room\n",
  );
  const exports = [
    { signal: "logs", endpoint: "http://a", sent: 3, dropped: 0, refused: 0, retries: 0, waiting: 0, lastError: "" },
    { signal: "traces", endpoint: "http://b", sent: 1, dropped: 2, refused: 0, retries: 5, waiting: 9, lastError: "x" },
  ];
  expect(describeTelemetry({ ...well, exports })).toBe("telemetry: traces to http://b: 2 dropped (x; 9 waiting)\n");
  const ignored = { entries: 7, logs: [{ proxy: "p", logName: "x", because: "malformed", entries: 7, lastAtMs: 1 }] };
  const said = describeTelemetry({
    ...well,
    ok: false,
    message: "disk full",
    storeReplaced: { atMs: 0, why: "it was deleted" },
    failedFlushes: 3,
    shed: { ...well.shed, spans: 4, metricPoints: 2 },
    ignored,
  });
  expect(said).toContain("can't write: disk full (3 failed writes)");
  expect(said).toContain("what was written before 1970-01-01T00:00:00.000Z is gone: it was deleted");
  expect(said).toContain("4 spans dropped");
  expect(said).toContain("2 metric points dropped");
  expect(said).toMatch(/ {2}7 +malformed +x +p/);
});
