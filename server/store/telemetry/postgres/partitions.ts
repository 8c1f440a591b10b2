import type { ClientBase } from "pg";
import type { Retention } from "../../../wire/retention.ts";

/** A table that is partitioned by time. */
interface Partitioned {
  table: string;
  column: string;
  /** Its name in `kept`. */
  name: string;
  /** Of its times, in a second. */
  unit: number;
  keptSec(retention: Retention): number;
}

const buckets = (table: string, step: 1 | 10 | 60 | 3600): Partitioned => ({
  table: `${table}_${step}`,
  column: "at",
  name: `${table}_${step}`,
  unit: 1,
  keptSec: ({ steps }) => steps[step],
});

const rows = (name: string, column: string, unit: number, keptSec: Partitioned["keptSec"]): Partitioned => ({
  table: `${name}_rows`,
  column,
  name,
  unit,
  keptSec,
});

const partitioned: readonly Partitioned[] = [
  buckets("rollup", 1),
  buckets("rollup", 10),
  buckets("rollup", 60),
  buckets("rollup", 3600),
  buckets("metric_bucket", 10),
  buckets("metric_bucket", 60),
  buckets("metric_bucket", 3600),
  rows("access_log", "at", 1000, ({ samplesSec }) => samplesSec),
  rows("span", "received_at", 1000, ({ spansSec }) => spansSec),
  rows("trace", "received_at", 1000, ({ spansSec }) => spansSec),
  rows("log", "at_us", 1e6, ({ logsSec }) => logsSec),
];

export const isPartitioned = (name: string): boolean => partitioned.some((each) => each.name === name);

/** Seconds a partition may be long: with twenty-four of them, or a few more, what is kept takes hardly more room than it should. */
const lengths = [300, 900, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 180 * 86_400];
const wanted = 24;
const lengthFor = (keptSec: number): number => lengths.find((each) => keptSec / each <= wanted) ?? 180 * 86_400;

interface Range {
  name: string;
  /** Unix seconds; `until` exclusive. */
  from: number;
  until: number;
}

/**
 * Makes the partitions for now and the time after, where they are missing, and says until when there are all (Unix seconds). The caller holds the
 * writers' turn. What came meanwhile into the partition of the rest is moved.
 */
export async function makePartitions(client: ClientBase, nowSec: number, retention: Retention): Promise<number> {
  const existing = await rangesOf(client);
  let covered = Number.POSITIVE_INFINITY;
  for (const each of partitioned) {
    const length = lengthFor(each.keptSec(retention));
    const ranges = existing.get(each.table) ?? [];
    let at = nowSec;
    while (at <= nowSec + length / 2) {
      const there = ranges.find(({ from, until }) => from <= at && at < until);
      at = (there ?? (await makePartition(client, each, ranges, at, length))).until;
    }
    covered = Math.min(covered, at - length / 4);
  }
  return covered;
}

async function makePartition(
  client: ClientBase,
  { table, column, unit }: Partitioned,
  ranges: Range[],
  at: number,
  length: number,
): Promise<Range> {
  const start = Math.floor(at / length) * length;
  const before = ranges.filter(({ until }) => until <= at).map(({ until }) => until);
  const after = ranges.filter(({ from }) => from > at).map(({ from }) => from);
  const [from, until] = [Math.max(start, ...before), Math.min(start + length, ...after)];
  const range = { name: `${table}_${from}_${until}`, from, until };
  const [low, high] = [from * unit, until * unit];
  await client.query(`CREATE TABLE "${range.name}" (LIKE ${table} INCLUDING DEFAULTS INCLUDING STORAGE);
    WITH moved AS (DELETE FROM ${restOf(table)} WHERE ${column} >= ${low} AND ${column} < ${high} RETURNING *)
      INSERT INTO "${range.name}" SELECT * FROM moved;
    ALTER TABLE ${table} ATTACH PARTITION "${range.name}" FOR VALUES FROM (${low}) TO (${high})`);
  ranges.push(range);
  return range;
}

/** One pass of forgetting: which partitions there are is asked once. */
export class Forgetting {
  readonly #client: ClientBase;
  #ranges: Promise<Map<string, Range[]>> | undefined;

  constructor(client: ClientBase) {
    this.#client = client;
  }

  /** What is older than `since`, in the unit of the table's times, is out of sight from here on, and partitions that have nothing else go. */
  async before(name: string, since: number): Promise<void> {
    const found = partitioned.find((each) => each.name === name);
    if (found === undefined) throw new Error(`${name} is not partitioned`);
    const { table, column, unit } = found;
    const client = this.#client;
    await client.query("UPDATE kept SET since = $2 WHERE name = $1 AND since <> $2", [name, Math.floor(since)]);
    this.#ranges ??= rangesOf(client);
    for (const range of (await this.#ranges).get(table) ?? []) {
      if (range.until * unit <= since) await dropPartition(client, range.name);
    }
    await client.query(`DELETE FROM ${restOf(table)} WHERE ${column} < $1`, [Math.floor(since)]);
  }
}

/** Waits for nobody who reads it for long: those who come after would wait behind. The next pass tries again. */
async function dropPartition(client: ClientBase, name: string): Promise<void> {
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '500ms'; DROP TABLE IF EXISTS "${name}"; COMMIT`);
  } catch (error) {
    await client.query("ROLLBACK");
    if (!isLockTimeout(error)) throw error;
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const isLockTimeout = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "55P03";

const restOf = (table: string): string => `${table.replace(/_rows$/, "")}_rest`;

/** The partitions of each table, but for the rest's. */
async function rangesOf(client: ClientBase): Promise<Map<string, Range[]>> {
  const { rows: found } = await client.query<{ parent: string; name: string }>(
    `SELECT parent.relname AS parent, child.relname AS name FROM pg_inherits
       JOIN pg_class parent ON parent.oid = inhparent JOIN pg_class child ON child.oid = inhrelid
     WHERE parent.relnamespace = current_schema()::regnamespace AND parent.relkind = 'p'`,
  );
  const ranges = new Map<string, Range[]>();
  for (const { parent, name } of found) {
    const [, from, until] = /_(-?\d+)_(-?\d+)$/.exec(name) ?? [];
    if (from === undefined || until === undefined) continue;
    const list = ranges.get(parent) ?? [];
    ranges.set(parent, list);
    list.push({ name, from: Number(from), until: Number(until) });
  }
  return ranges;
}
