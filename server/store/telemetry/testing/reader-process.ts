import { createInterface } from "node:readline";
import { openSqliteTelemetryReader } from "../sqlite-reader.ts";

// Reads a telemetry file as the dashboard does: answers each line on its input with the seconds that it sees, as JSON.
const [path = "", from = "0"] = process.argv.slice(2);
const t0 = Number(from);
const reader = await openSqliteTelemetryReader({ path });
for await (const _ of createInterface({ input: process.stdin })) {
  const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 3600) * 1000, stepSec: 1 });
  process.stdout.write(`${JSON.stringify(rows.map((row) => row.atMs / 1000 - t0))}\n`);
}
