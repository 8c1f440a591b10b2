import type { ClientBase } from "pg";
import type { LogRecord } from "../../../telemetry/log-record.ts";
import type { TrafficRecord } from "../../../telemetry/record.ts";
import { accessLogColumns } from "../columns/access-log.ts";
import { logColumns } from "../columns/log.ts";
import { copyIn } from "./copy-in.ts";
import { CopyRows } from "./copy-rows.ts";

/** `edgeOf`: the number of each sample's edge. */
export function copySamples(
  client: ClientBase,
  samples: readonly TrafficRecord[],
  edgeOf: (index: number) => number,
): Promise<void> {
  const rows = new CopyRows(accessLogColumns);
  for (const [i, sample] of samples.entries()) rows.add({ sample, edge: edgeOf(i) });
  return copyIn(client, "access_log_rows", rows);
}

/** Applications' logs. */
export function copyLogs(
  client: ClientBase,
  logs: readonly LogRecord[],
  resourceOf: (resource: LogRecord["resource"]) => number,
): Promise<void> {
  const rows = new CopyRows(logColumns);
  for (const log of logs) rows.add({ log, resource: resourceOf(log.resource) });
  return copyIn(client, "log_rows", rows);
}
