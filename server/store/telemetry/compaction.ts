import type { CompactionPass } from "../../telemetry/store.ts";
import { type Step, steps } from "../../wire/retention.ts";
import type { TelemetryDatabase } from "./database.ts";
import { Fold } from "./fold.ts";
import { MetricFold } from "./metric-bucket.ts";
import { thin } from "./thinning.ts";
import { thinTraces } from "./trace-thinning.ts";

/** Buckets made in one transaction, and rows deleted by one statement: a few milliseconds of the event loop each. A row of the roll-up is large. */
const bucketsPerPass = 4;
const deletesPerPass = 5000;
const bucketDeletesPerPass = 100;

/** Buckets of time that are folded into ever coarser ones. */
interface Buckets {
  table: "rollup" | "metric_bucket";
  marks: "compaction" | "metric_compaction";
  steps: readonly Step[];
  fold(): { add(entries: Uint8Array): void; encode(): Uint8Array };
}

export const rollup: Buckets = { table: "rollup", marks: "compaction", steps, fold: () => new Fold() };
export const metricBuckets: Buckets = {
  table: "metric_bucket",
  marks: "metric_compaction",
  steps: [10, 60, 3600],
  fold: () => new MetricFold(),
};

/** One bounded piece of work; see TelemetryStore.compact. */
export function compactPass(database: TelemetryDatabase, pass: CompactionPass): { more: boolean } {
  let more = false;
  for (const buckets of [rollup, metricBuckets]) {
    for (let i = 1; i < buckets.steps.length; i++) {
      const [finer, coarser] = [buckets.steps[i - 1] as Step, buckets.steps[i] as Step];
      if (compactStep(database, buckets, finer, coarser, pass)) more = true;
    }
    if (forgetBuckets(database, buckets, pass)) more = true;
  }
  return { more: forget(database, pass) || more };
}

/**
 * Folds whole buckets from the first one not yet compacted. A bucket is replaced, not added to, in the transaction that moves the mark:
 * doing it twice gives the same rows.
 */
function compactStep(
  db: TelemetryDatabase,
  buckets: Buckets,
  finer: Step,
  coarser: Step,
  pass: CompactionPass,
): boolean {
  const { table } = buckets;
  const settled = Math.floor(pass.settledUntilMs / 1000);
  const limit = Math.min(settled, finer === buckets.steps[0] ? settled : (markOf(db, buckets, finer) ?? 0));
  const mark = markOf(db, buckets, coarser);
  const first = firstBucket(db, buckets, finer, mark ?? 0);
  const end = floorTo(limit, coarser);
  if (first === undefined || floorTo(first, coarser) >= end) {
    // Nothing new: the mark still goes on to the next full bucket of the coarsest step, once, so that the steps after it can finish.
    const rest = ceilTo(mark ?? 0, 3600);
    if (mark !== undefined && mark < rest && rest <= limit) moveMark(db, buckets, coarser, rest);
    return false;
  }
  const from = Math.max(mark ?? 0, floorTo(first, coarser));
  const until = Math.min(end, from + coarser * bucketsPerPass);
  const folds = new Map<number, ReturnType<Buckets["fold"]>>();
  const rows = db.iterate(
    `SELECT at, entries FROM ${table} WHERE step = ? AND at >= ? AND at < ? ORDER BY at, part`,
    finer,
    from,
    until,
  );
  for (const { at, entries } of rows) {
    const start = floorTo(Number(at), coarser);
    const fold = folds.get(start) ?? buckets.fold();
    folds.set(start, fold);
    fold.add(entries as Uint8Array);
  }
  db.transaction(() => {
    db.run(`DELETE FROM ${table} WHERE step = ? AND at >= ? AND at < ?`, coarser, from, until);
    for (const [at, fold] of folds) insertBucket(db, table, coarser, at, 0, fold.encode());
    moveMark(db, buckets, coarser, until);
  });
  return until < end;
}

/** A part that is there already is left alone. */
export const insertBucket = (
  db: TelemetryDatabase,
  table: Buckets["table"],
  step: Step,
  at: number,
  part: number,
  entries: Uint8Array,
): number =>
  db.run(
    `INSERT INTO ${table} (step, at, part, entries) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    step,
    at,
    part,
    entries,
  );

/** To where a step is compacted, Unix seconds. */
export function markOf(db: TelemetryDatabase, { marks }: Buckets, step: Step): number | undefined {
  const row = db.get(`SELECT until FROM ${marks} WHERE step = ?`, step);
  return row === undefined ? undefined : Number(row.until);
}

function firstBucket(db: TelemetryDatabase, { table }: Buckets, step: Step, from: number): number | undefined {
  const row = db.get(`SELECT at FROM ${table} WHERE step = ? AND at >= ? ORDER BY at LIMIT 1`, step, from);
  return row === undefined ? undefined : Number(row.at);
}

const moveMark = (db: TelemetryDatabase, { marks }: Buckets, step: Step, until: number): number =>
  db.run(
    `INSERT INTO ${marks} (step, until) VALUES (?, ?)
     ON CONFLICT (step) DO UPDATE SET until = max(until, excluded.until)`,
    step,
    until,
  );

/** Deletes what is past its retention, but no bucket that the next step has not taken in yet. */
function forgetBuckets(db: TelemetryDatabase, buckets: Buckets, { nowMs, retention }: CompactionPass): boolean {
  const { table } = buckets;
  let more = false;
  for (const [i, step] of buckets.steps.entries()) {
    const coarser = buckets.steps[i + 1];
    const oldest = Math.floor(nowMs / 1000) - retention.steps[step];
    const until = coarser === undefined ? oldest : Math.min(oldest, markOf(db, buckets, coarser) ?? 0);
    const where = `SELECT rowid FROM ${table} WHERE step = ? AND at < ? LIMIT ${bucketDeletesPerPass}`;
    const deleted = db.run(`DELETE FROM ${table} WHERE rowid IN (${where})`, step, until);
    if (deleted >= bucketDeletesPerPass) more = true;
  }
  return more;
}

function forget(db: TelemetryDatabase, { nowMs, retention }: CompactionPass): boolean {
  const { samplesSec, maxSamples, maxErrorSamples, spansSec, maxSpans, logsSec, maxLogs } = retention;
  const spansFrom = nowMs - spansSec * 1000;
  const logsFrom = Math.max((nowMs - logsSec * 1000) * 1000, timeOfNth(db, "log", "at_us", maxLogs));
  const longestSec = Math.max(samplesSec, spansSec, logsSec, retention.steps[3600]);
  return [
    deleteSome(db, "access_log", "at", nowMs - samplesSec * 1000),
    thin(db, { error: false, maxRows: maxSamples, keptSec: samplesSec }),
    thin(db, { error: true, maxRows: maxErrorSamples, keptSec: samplesSec }),
    deleteSome(db, "span", "received_at", spansFrom),
    deleteSome(db, "trace", "received_at", spansFrom),
    thinTraces(db, { maxSpans, keptSec: spansSec }),
    deleteSome(db, "operation", "seen_at", nowMs - spansSec * 1000 - dictionaryMs),
    deleteSome(db, "log", "at_us", logsFrom),
    deleteSome(db, "resource", "seen_at", nowMs - Math.max(spansSec, logsSec) * 1000 - dictionaryMs),
    deleteSome(db, "metric_series", "seen_at", nowMs - retention.steps[3600] * 1000 - dictionaryMs),
    deleteSome(db, "gap", "to_ms", nowMs - longestSec * 1000),
    deleteSome(
      db,
      "log_sender",
      "seen_at",
      Math.max(nowMs - senderMs, timeOfNth(db, "log_sender", "seen_at", maxSenders)),
    ),
  ].some(Boolean);
}

/** When a name was last seen is written down no more often than this; what refers to it may be younger by as much. */
export const dictionaryMs = 3_600_000;

/** What a proxy could not get rid of for as long is counted again, should it have been written at the very end. */
const senderMs = 86_400_000;
const maxSenders = 20_000;

/** The time of the `n`th newest row: what is older is past the cap. 0 when there are fewer. */
function timeOfNth(db: TelemetryDatabase, table: string, column: string, n: number): number {
  const sql = `SELECT ${column} AS at FROM ${table} ORDER BY ${column} DESC LIMIT 1 OFFSET ?`;
  return Number(db.get(sql, Math.max(0, n - 1))?.at ?? 0);
}

/** Whether there may be more to delete of what is older than `until`. */
function deleteSome(db: TelemetryDatabase, table: string, column: string, until: number): boolean {
  const where = `SELECT rowid FROM ${table} WHERE ${column} < ? LIMIT ${deletesPerPass}`;
  return db.run(`DELETE FROM ${table} WHERE rowid IN (${where})`, Math.floor(until)) >= deletesPerPass;
}

export const floorTo = (second: number, step: number): number => Math.floor(second / step) * step;
export const ceilTo = (second: number, step: number): number => Math.ceil(second / step) * step;
