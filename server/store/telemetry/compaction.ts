import type { CompactionPass } from "../../telemetry/store.ts";
import { type Step, steps } from "../../wire/retention.ts";
import { Fold } from "./fold.ts";
import { thinLogs } from "./log-shares.ts";
import { MetricFold } from "./metric-bucket.ts";
import { metricStateMs } from "./metric-states.ts";
import type { BucketTable, CompactedSql, Sql } from "./sql.ts";
import { thin } from "./thinning.ts";
import { thinTraces } from "./trace-thinning.ts";

/** Buckets made in one transaction, and read for it where they are short: a few milliseconds of the event loop. */
const bucketsPerPass = 4;
const readPerPass = 120;

/** Buckets of time that are folded into ever coarser ones. */
interface Buckets {
  table: BucketTable;
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
export async function compactPass(database: CompactedSql, pass: CompactionPass): Promise<{ more: boolean }> {
  const settledUntilMs = await database.settledUntil(pass.settledUntilMs);
  let more = false;
  for (const buckets of [rollup, metricBuckets]) {
    for (let i = 1; i < buckets.steps.length; i++) {
      const [finer, coarser] = [buckets.steps[i - 1] as Step, buckets.steps[i] as Step];
      const settled = Math.floor(settledUntilMs / 1000);
      if (await database.transaction((sql) => compactStep(sql, { buckets, finer, coarser, settled }))) more = true;
    }
    if (await forgetBuckets(database, buckets, pass)) more = true;
  }
  return { more: (await forget(database, pass)) || more };
}

interface StepWork {
  buckets: Buckets;
  finer: Step;
  coarser: Step;
  /** Unix seconds. */
  settled: number;
}

/**
 * Folds whole buckets from the first one not yet compacted. A bucket is replaced, not added to, in the transaction that moves the mark:
 * doing it twice gives the same rows.
 */
async function compactStep(db: Sql, { buckets, finer, coarser, settled }: StepWork): Promise<boolean> {
  const { table } = buckets;
  const finerMark = finer === buckets.steps[0] ? settled : ((await markOf(db, buckets, finer)) ?? 0);
  const limit = Math.min(settled, finerMark);
  const mark = await markOf(db, buckets, coarser);
  const first = await firstBucket(db, buckets, finer, mark ?? 0);
  const end = floorTo(limit, coarser);
  if (first === undefined || floorTo(first, coarser) >= end) {
    // Nothing new: the mark still goes on to the next full bucket of the coarsest step, once, so that the steps after it can finish.
    const rest = ceilTo(mark ?? 0, 3600);
    if (mark !== undefined && mark < rest && rest <= limit) await moveMark(db, buckets, coarser, rest);
    return false;
  }
  const from = Math.max(mark ?? 0, floorTo(first, coarser));
  const until = Math.min(end, from + Math.max(coarser * bucketsPerPass, floorTo(finer * readPerPass, coarser)));
  const folds = new Map<number, ReturnType<Buckets["fold"]>>();
  const rows = await db.all(
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
  await db.run(`DELETE FROM ${table} WHERE step = ? AND at >= ? AND at < ?`, coarser, from, until);
  for (const [at, fold] of folds) await insertBucket(db, table, coarser, at, 0, fold.encode());
  await moveMark(db, buckets, coarser, until);
  return until < end;
}

const insertBucketSql = (table: BucketTable): string =>
  `INSERT INTO ${table} (step, at, part, entries) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`;

/** A part that is there already is left alone. */
export const insertBucket = (db: Sql, table: BucketTable, step: Step, at: number, part: number, entries: Uint8Array) =>
  db.run(insertBucketSql(table), step, at, part, entries);

export const markSql = ({ marks }: Pick<Buckets, "marks">): string => `SELECT until FROM ${marks} WHERE step = ?`;

/** To where a step is compacted, Unix seconds. */
export async function markOf(db: Sql, buckets: Buckets, step: Step): Promise<number | undefined> {
  const row = await db.get(markSql(buckets), step);
  return row === undefined ? undefined : Number(row.until);
}

async function firstBucket(db: Sql, { table }: Buckets, step: Step, from: number): Promise<number | undefined> {
  const row = await db.get(`SELECT at FROM ${table} WHERE step = ? AND at >= ? ORDER BY at LIMIT 1`, step, from);
  return row === undefined ? undefined : Number(row.at);
}

const moveMark = (db: Sql, { marks }: Buckets, step: Step, until: number) =>
  db.run(
    `INSERT INTO ${marks} (step, until) VALUES (?, ?)
     ON CONFLICT (step) DO UPDATE SET until = excluded.until WHERE excluded.until > ${marks}.until`,
    step,
    until,
  );

/** Forgets what is past its retention, but no bucket that the next step has not taken in yet. */
async function forgetBuckets(
  db: CompactedSql,
  buckets: Buckets,
  { nowMs, retention }: CompactionPass,
): Promise<boolean> {
  let more = false;
  for (const [i, step] of buckets.steps.entries()) {
    const coarser = buckets.steps[i + 1];
    const oldest = Math.floor(nowMs / 1000) - retention.steps[step];
    const until = coarser === undefined ? oldest : Math.min(oldest, (await markOf(db, buckets, coarser)) ?? 0);
    if (await db.forgetBuckets(buckets.table, step, until)) more = true;
  }
  return more;
}

async function forget(db: CompactedSql, { nowMs, retention }: CompactionPass): Promise<boolean> {
  const { samplesSec, maxSamples, maxErrorSamples, spansSec, maxSpans, logsSec, maxLogs } = retention;
  const spansFrom = nowMs - spansSec * 1000;
  const sendersFrom = Math.max(nowMs - senderMs, await timeOfNth(db, "log_sender", "seen_at", maxSenders));
  const statesFrom = Math.max(nowMs - metricStateMs, await timeOfNth(db, "metric_state", "seen_at", maxStates));
  const longestSec = Math.max(samplesSec, spansSec, logsSec, retention.steps[3600]);
  return [
    await db.forget("access_log", "at", nowMs - samplesSec * 1000),
    await thin(db, { error: false, maxRows: maxSamples, keptSec: samplesSec }),
    await thin(db, { error: true, maxRows: maxErrorSamples, keptSec: samplesSec }),
    await db.forget("span", "received_at", spansFrom),
    await db.forget("trace", "received_at", spansFrom),
    await thinTraces(db, { maxSpans, keptSec: spansSec }),
    await db.forget("operation", "seen_at", nowMs - spansSec * 1000 - dictionaryMs),
    await db.forget("log", "at_us", (nowMs - logsSec * 1000) * 1000),
    await thinLogs(db, maxLogs),
    await db.forget("resource", "seen_at", nowMs - Math.max(spansSec, logsSec) * 1000 - dictionaryMs),
    await db.forget("metric_series", "seen_at", nowMs - retention.steps[3600] * 1000 - dictionaryMs),
    await db.forget("metric_state", "seen_at", statesFrom),
    await db.forget("gap", "to_ms", nowMs - longestSec * 1000),
    await db.forget("log_sender", "seen_at", sendersFrom),
  ].some(Boolean);
}

/** When a name was last seen is written down no more often than this; what refers to it may be younger by as much. */
export const dictionaryMs = 3_600_000;

/** What a proxy could not get rid of for as long is counted again, should it have been written at the very end. */
const senderMs = 86_400_000;
const maxSenders = 20_000;
/** A few times the series that a collector takes by default: those of programs that were replaced are kept for a while. */
const maxStates = 50_000;

/** The time of the `n`th newest row: what is older is past the cap. 0 when there are fewer. */
async function timeOfNth(db: Sql, table: string, column: string, n: number): Promise<number> {
  const sql = `SELECT ${column} AS at FROM ${table} ORDER BY ${column} DESC LIMIT 1 OFFSET ?`;
  return Number((await db.get(sql, Math.max(0, n - 1)))?.at ?? 0);
}

export const floorTo = (second: number, step: number): number => Math.floor(second / step) * step;
export const ceilTo = (second: number, step: number): number => Math.ceil(second / step) * step;
