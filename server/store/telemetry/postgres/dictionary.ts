import { createHash } from "node:crypto";
import type { ClientBase } from "pg";
import { type Column, type Columns, namesOf, valuesOf } from "../columns/column.ts";
import { dictionaryMs } from "../compaction.ts";
import type { Value } from "../sql.ts";
import { storable } from "./copy-rows.ts";

interface DictionarySpec<T> {
  table: string;
  /** `identity` and `seen_at` come beside them. */
  columns: Columns<T>;
  /** Which of them may change. */
  changing?: readonly string[];
  maxKnown: number;
}

/**
 * Names that many rows refer to by number. What is known is kept for an hour, in which nobody forgets it; the caller holds the writers' turn, so that
 * numbers grow in the order in which others get to see them.
 */
export class Dictionary<T> {
  readonly #spec: DictionarySpec<T>;
  readonly #known = new Map<string, { id: number; seenAtMs: number }>();
  readonly #upsert: string;

  constructor(spec: DictionarySpec<T>) {
    this.#spec = spec;
    const { table, columns, changing = [] } = spec;
    const names = ["identity", ...namesOf(columns)].join(", ");
    const arrays = ["$1::bytea[]", ...columns.map(({ type }, i) => `$${i + 2}::${typeNames[type]}[]`)].join(", ");
    const updates = ["seen_at", ...changing].map((name) => `${name} = excluded.${name}`).join(", ");
    this.#upsert = `INSERT INTO ${table} (${names}, seen_at)
      SELECT ${names}, $${columns.length + 2}::bigint FROM unnest(${arrays}) AS fresh(${names})
      ON CONFLICT (identity) DO UPDATE SET ${updates} RETURNING id`;
  }

  /** The number of each key's entry. */
  async idsOf(client: ClientBase, entries: ReadonlyMap<string, T>, nowMs: number): Promise<Map<string, number>> {
    const ids = new Map<string, number>();
    const fresh: [string, T][] = [];
    for (const [key, entry] of entries) {
      const known = this.#known.get(key);
      if (known !== undefined && nowMs - known.seenAtMs < dictionaryMs) ids.set(key, known.id);
      else fresh.push([key, entry]);
    }
    if (fresh.length === 0) return ids;
    const written = await this.#write(client, fresh, nowMs);
    if (this.#known.size + fresh.length > this.#spec.maxKnown) this.#known.clear();
    for (const [i, [key]] of fresh.entries()) {
      const id = written[i] as number;
      ids.set(key, id);
      this.#known.set(key, { id, seenAtMs: nowMs });
    }
    return ids;
  }

  /** Which of the keys have an entry, whoever wrote it. */
  async existing(client: ClientBase, keys: readonly string[]): Promise<Set<string>> {
    const byIdentity = new Map(keys.map((key) => [identityOf(key).toString("hex"), key]));
    const { rows } = await client.query<{ identity: Buffer }>(
      `SELECT identity FROM ${this.#spec.table} WHERE identity = ANY($1::bytea[])`,
      [keys.map(identityOf)],
    );
    return new Set(rows.flatMap(({ identity }) => byIdentity.get(identity.toString("hex")) ?? []));
  }

  knows(key: string): boolean {
    return this.#known.has(key);
  }

  /** After a transaction that was undone. */
  forget(): void {
    this.#known.clear();
  }

  async #write(client: ClientBase, fresh: readonly [string, T][], nowMs: number): Promise<number[]> {
    const rows = fresh.map(([, entry]) => valuesOf(this.#spec.columns, entry));
    const columns = this.#spec.columns.map((_, i) => rows.map((row) => parameter(row[i] ?? null)));
    const identities = fresh.map(([key]) => identityOf(key));
    const { rows: written } = await client.query<{ id: number }>(this.#upsert, [identities, ...columns, nowMs]);
    return written.map(({ id }) => Number(id));
  }
}

const identityOf = (key: string): Buffer => createHash("sha256").update(key).digest();

const parameter = (value: Value): Value => (typeof value === "string" ? storable(value) : value);

const typeNames: Record<Column<never>["type"], string> = {
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  text: "text",
  bytes: "bytea",
  hex: "bytea",
};
