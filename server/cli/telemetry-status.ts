import type { TelemetryHealth } from "../contract/index.ts";
import { columns } from "./columns.ts";

/** What there is to say of the collector: that all is well in a line, and what it gave up or ignored in more. */
export function describeTelemetry(health: TelemetryHealth | null): string {
  if (health === null) return "telemetry: the collector gives no answer\n";
  const { shed, ignored } = health;
  const losses = [
    !health.ok && `can't write: ${health.message} (${health.failedFlushes} failed writes)`,
    health.storeReplaced &&
      `what was written before ${new Date(health.storeReplaced.atMs).toISOString()} is gone: ${health.storeReplaced.why}`,
    ...Object.entries({ ...shed, "metric points": shed.metricPoints, metricPoints: 0 }).map(
      ([what, count]) => count > 0 && `${count} ${what} dropped under load`,
    ),
    health.lateRecords > 0 && `${health.lateRecords} records came late`,
    health.overflowedRecords > 0 &&
      `${health.overflowedRecords} requests counted without names: too many different ones`,
    health.disbelievedCallers > 0 &&
      `${health.disbelievedCallers} requests whose caller was not believed to be who it said`,
    health.misdatedRecords > 0 && `${health.misdatedRecords} records of a clock that is wrong, dated when they came`,
    ...health.exports.map(exportLine),
    ignored.entries > 0 && `${ignored.entries} access log entries ignored`,
  ].filter((line) => line !== false && line !== null);
  const sampled = health.sampling === null ? "" : samplingLine(health.sampling);
  if (losses.length === 0) return `telemetry: all is written\n${sampled}`;
  const logs = ignored.logs.map((log) => [String(log.entries), log.because, log.logName, log.proxy || "unknown"]);
  const table =
    logs.length === 0
      ? ""
      : columns([["  IGNORED", "BECAUSE", "LOG", "PROXY"], ...logs.map(([n = "", ...rest]) => [`  ${n}`, ...rest])]);
  return `telemetry: ${losses.join("; ")}\n${sampled}${table}`;
}

function exportLine(of: TelemetryHealth["exports"][number]): string | false {
  const lost = [of.dropped > 0 && `${of.dropped} dropped`, of.refused > 0 && `${of.refused} refused`].filter(Boolean);
  if (lost.length === 0 && of.lastError === "") return false;
  const why = of.lastError === "" ? "" : ` (${of.lastError}; ${of.waiting} waiting)`;
  return `${of.signal} to ${of.endpoint}: ${lost.join(", ") || "not delivered"}${why}`;
}

function samplingLine(of: NonNullable<TelemetryHealth["sampling"]>): string {
  const kept = of.keptErrors + of.keptSlow + of.keptRandom + of.keptElsewhere;
  const elsewhere = of.keptElsewhere > 0 ? `, ${of.keptElsewhere} that another collector keeps` : "";
  const early = of.earlyRounds > 0 ? `; ${of.earlyRounds} rounds ended early for want of room` : "";
  const cut = of.truncatedSpans > 0 ? `; ${of.truncatedSpans} spans past the bound of one trace` : "";
  return `traces: ${kept} kept (${of.keptErrors} with an error, ${of.keptSlow} slow, ${of.keptRandom} by chance${elsewhere}), ${of.droppedTraces} sampled out${early}${cut}\n`;
}
