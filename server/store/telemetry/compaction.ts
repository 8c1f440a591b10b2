import type { Client, InStatement } from "@libsql/client";
import { LatencySketch } from "../../lib/latency-sketch.ts";
import { type CompactionPass, type Step, steps } from "../../telemetry/store.ts";
import { insertStatements } from "./bulk-insert.ts";

export const rollupColumns = [
  "step",
  "at",
  "edge",
  "code",
  "flags",
  "part",
  "count",
  "request_bytes",
  "response_bytes",
  "latency",
];

/** Buckets made in one transaction, and rows deleted by one statement: a few milliseconds of the event loop each. */
const bucketsPerPass = 4;
const deletesPerPass = 5000;

/** One bounded piece of work; see TelemetryStore.compact. */
export async function compactPass(client: Client, pass: CompactionPass): Promise<{ more: boolean }> {
  let more = false;
  for (let i = 1; i < steps.length; i++) {
    const finer = steps[i - 1] as Step;
    const coarser = steps[i] as Step;
    if (await compactStep(client, finer, coarser, pass)) more = true;
  }
  return { more: (await forget(client, pass)) || more };
}

/**
 * Folds whole buckets from the first one not yet compacted. A bucket is replaced, not added to, in the transaction that moves the mark:
 * doing it twice gives the same rows.
 */
async function compactStep(client: Client, finer: Step, coarser: Step, pass: CompactionPass): Promise<boolean> {
  const settled = Math.floor(pass.settledUntilMs / 1000);
  const limit = Math.min(settled, finer === 1 ? settled : ((await markOf(client, finer)) ?? 0));
  const mark = await markOf(client, coarser);
  const first = await firstBucket(client, finer, mark ?? 0);
  const end = floorTo(limit, coarser);
  if (first === undefined || floorTo(first, coarser) >= end) {
    // Nothing new: the mark still goes on to the next full bucket of the coarsest step, once, so that the steps after it can finish.
    const rest = ceilTo(mark ?? 0, 3600);
    if (mark !== undefined && mark < rest && rest <= limit) await client.execute(moveMark(coarser, rest));
    return false;
  }
  const from = Math.max(mark ?? 0, floorTo(first, coarser));
  const until = Math.min(end, from + coarser * bucketsPerPass);
  const { rows } = await client.execute({
    sql: `SELECT at, edge, code, flags, count, request_bytes, response_bytes, latency FROM rollup
          WHERE step = ? AND at >= ? AND at < ?`,
    args: [finer, from, until],
  });
  const buckets = new Map<string, Bucket>();
  for (const row of rows) fold(buckets, row as unknown as FinerRow, coarser);
  await client.batch(
    [
      { sql: "DELETE FROM rollup WHERE step = ? AND at >= ? AND at < ?", args: [coarser, from, until] },
      ...insertStatements(
        "rollup",
        rollupColumns,
        [...buckets.values()].map((bucket) => valuesOf(bucket, coarser)),
      ),
      moveMark(coarser, until),
    ],
    "write",
  );
  return until < end;
}

interface FinerRow {
  at: number;
  edge: number;
  code: number;
  flags: number;
  count: number;
  request_bytes: number;
  response_bytes: number;
  latency: ArrayBuffer;
}

interface Bucket extends Omit<FinerRow, "latency"> {
  latency: LatencySketch;
}

function fold(buckets: Map<string, Bucket>, row: FinerRow, coarser: Step): void {
  const at = floorTo(row.at, coarser);
  const key = `${at}:${row.edge}:${row.code}:${row.flags}`;
  let bucket = buckets.get(key);
  if (bucket === undefined) {
    bucket = { ...row, at, count: 0, request_bytes: 0, response_bytes: 0, latency: new LatencySketch() };
    buckets.set(key, bucket);
  }
  bucket.count += row.count;
  bucket.request_bytes += row.request_bytes;
  bucket.response_bytes += row.response_bytes;
  bucket.latency.mergeEncoded(new Uint8Array(row.latency));
}

const valuesOf = (bucket: Bucket, step: Step) => [
  step,
  bucket.at,
  bucket.edge,
  bucket.code,
  bucket.flags,
  0,
  bucket.count,
  bucket.request_bytes,
  bucket.response_bytes,
  bucket.latency.encode(),
];

const floorTo = (second: number, step: number): number => Math.floor(second / step) * step;
const ceilTo = (second: number, step: number): number => Math.ceil(second / step) * step;

async function markOf(client: Client, step: Step): Promise<number | undefined> {
  const { rows } = await client.execute({ sql: "SELECT until FROM compaction WHERE step = ?", args: [step] });
  return rows[0] === undefined ? undefined : Number(rows[0].until);
}

async function firstBucket(client: Client, step: Step, from: number): Promise<number | undefined> {
  const { rows } = await client.execute({
    sql: "SELECT at FROM rollup WHERE step = ? AND at >= ? ORDER BY at LIMIT 1",
    args: [step, from],
  });
  return rows[0] === undefined ? undefined : Number(rows[0].at);
}

const moveMark = (step: Step, until: number): InStatement => ({
  sql: `INSERT INTO compaction (step, until) VALUES (?, ?)
        ON CONFLICT (step) DO UPDATE SET until = max(until, excluded.until)`,
  args: [step, until],
});

/** Deletes what is past its retention, but no bucket that the next step has not taken in yet. */
async function forget(client: Client, { nowMs, retention }: CompactionPass): Promise<boolean> {
  const now = Math.floor(nowMs / 1000);
  let deleted = 0;
  for (const [i, step] of steps.entries()) {
    const coarser = steps[i + 1];
    const oldest = now - retention.steps[step];
    const until = coarser === undefined ? oldest : Math.min(oldest, (await markOf(client, coarser)) ?? 0);
    deleted = Math.max(deleted, await deleteSome(client, "rollup", "step = ? AND at < ?", [step, until]));
  }
  const caps = [
    ["access_log", "at", retention.samplesSec, retention.maxSamples],
    ["span", "received_at", retention.spansSec, retention.maxSpans],
  ] as const;
  for (const [table, column, seconds, cap] of caps) {
    const until = Math.max(nowMs - seconds * 1000, await timeOfNth(client, table, column, cap));
    deleted = Math.max(deleted, await deleteSome(client, table, `${column} < ?`, [until]));
  }
  return deleted >= deletesPerPass;
}

/** The time of the `n`th newest row: what is older is past the cap. 0 when there are fewer. */
async function timeOfNth(client: Client, table: string, column: string, n: number): Promise<number> {
  const { rows } = await client.execute({
    sql: `SELECT ${column} AS at FROM ${table} ORDER BY ${column} DESC LIMIT 1 OFFSET ?`,
    args: [Math.max(0, n - 1)],
  });
  return rows[0] === undefined ? 0 : Number(rows[0].at);
}

async function deleteSome(client: Client, table: string, where: string, args: number[]): Promise<number> {
  const { rowsAffected } = await client.execute({
    sql: `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${where} LIMIT ${deletesPerPass})`,
    args,
  });
  return rowsAffected;
}
