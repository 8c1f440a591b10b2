import type { Client, InStatement } from "@libsql/client";
import type { CompactionPass } from "../../telemetry/store.ts";
import { type Step, steps } from "../../wire/retention.ts";
import { encodeBucket } from "./bucket.ts";
import { insertStatements } from "./bulk-insert.ts";
import { Fold } from "./fold.ts";

export const rollupColumns = ["step", "at", "part", "entries"];

/** Buckets made in one transaction, and rows deleted by one statement: a few milliseconds of the event loop each. A row of the roll-up is large. */
const bucketsPerPass = 4;
const deletesPerPass = { rollup: 100, access_log: 5000, span: 5000 };

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
    sql: "SELECT at, entries FROM rollup WHERE step = ? AND at >= ? AND at < ?",
    args: [finer, from, until],
  });
  const folds = new Map<number, Fold>();
  for (const { at, entries } of rows) {
    const start = floorTo(Number(at), coarser);
    const fold = folds.get(start) ?? new Fold();
    folds.set(start, fold);
    fold.add(new Uint8Array(entries as ArrayBuffer));
  }
  await client.batch(
    [
      { sql: "DELETE FROM rollup WHERE step = ? AND at >= ? AND at < ?", args: [coarser, from, until] },
      ...insertStatements(
        "rollup",
        rollupColumns,
        [...folds].map(([at, fold]) => [coarser, at, 0, encodeBucket(fold.entries())]),
      ),
      moveMark(coarser, until),
    ],
    "write",
  );
  return until < end;
}

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
  let more = false;
  for (const [i, step] of steps.entries()) {
    const coarser = steps[i + 1];
    const oldest = now - retention.steps[step];
    const until = coarser === undefined ? oldest : Math.min(oldest, (await markOf(client, coarser)) ?? 0);
    if (await deleteSome(client, "rollup", "step = ? AND at < ?", [step, until])) more = true;
  }
  const caps = [
    ["access_log", "at", retention.samplesSec, retention.maxSamples],
    ["span", "received_at", retention.spansSec, retention.maxSpans],
  ] as const;
  for (const [table, column, seconds, cap] of caps) {
    const until = Math.max(nowMs - seconds * 1000, await timeOfNth(client, table, column, cap));
    if (await deleteSome(client, table, `${column} < ?`, [until])) more = true;
  }
  return more;
}

/** The time of the `n`th newest row: what is older is past the cap. 0 when there are fewer. */
async function timeOfNth(client: Client, table: string, column: string, n: number): Promise<number> {
  const { rows } = await client.execute({
    sql: `SELECT ${column} AS at FROM ${table} ORDER BY ${column} DESC LIMIT 1 OFFSET ?`,
    args: [Math.max(0, n - 1)],
  });
  return rows[0] === undefined ? 0 : Number(rows[0].at);
}

/** Whether there may be more to delete. */
async function deleteSome(
  client: Client,
  table: keyof typeof deletesPerPass,
  where: string,
  args: number[],
): Promise<boolean> {
  const limit = deletesPerPass[table];
  const { rowsAffected } = await client.execute({
    sql: `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${where} LIMIT ${limit})`,
    args,
  });
  return rowsAffected >= limit;
}
