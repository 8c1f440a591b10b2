import { setImmediate as nextTurn } from "node:timers/promises";
import type { EdgeRow } from "../../query/reader.ts";
import { type EdgeKey, edgeId, overflowEdge } from "../../telemetry/record.ts";
import { BucketCursor } from "./bucket.ts";
import { insertInto, valuesOf } from "./columns/column.ts";
import { edgeColumns } from "./columns/edge.ts";
import type { TelemetryDatabase } from "./database.ts";
import type { Row } from "./sql.ts";

const insertEdge = `${insertInto("edge", edgeColumns)} ON CONFLICT DO NOTHING`;

/** The dictionary of edges, held in memory by its only writer. */
export class EdgeIds {
  #ids = new Map<string, number>();
  #newest = -1;
  readonly #database: TelemetryDatabase;
  readonly #maxEdges: number;

  constructor(database: TelemetryDatabase, maxEdges: number) {
    this.#database = database;
    this.#maxEdges = maxEdges;
  }

  /** The row id of each edge, in order; new edges get a row, past the limit they share the overflow's. */
  idsOf(edges: readonly { edge: EdgeKey; edgeId: string }[]): number[] {
    if (this.#newest < 0) this.#load();
    const fresh = new Map<string, EdgeKey>();
    for (const { edge, edgeId: id } of edges) {
      if (this.#ids.has(id) || fresh.has(id)) continue;
      const full = this.#ids.size + fresh.size >= this.#maxEdges;
      const counted = full ? overflowEdge(edge) : edge;
      const countedId = full ? edgeId(counted) : id;
      if (!this.#ids.has(countedId)) fresh.set(countedId, counted);
    }
    if (fresh.size > 0) {
      for (const edge of fresh.values()) this.#database.run(insertEdge, ...valuesOf(edgeColumns, edge));
      this.#load();
    }
    return edges.map(({ edge, edgeId: id }) => {
      const row = this.#ids.get(id) ?? this.#ids.get(edgeId(overflowEdge(edge)));
      if (row === undefined) throw new Error(`edge ${JSON.stringify(edge)} has no row`);
      return row;
    });
  }

  /** Whether it is time to look for rows that nothing needs any more. */
  get crowded(): boolean {
    return this.#ids.size > this.#maxEdges / 2;
  }

  /** Forgets edges that no roll-up and no log entry is of: names that came and went must not use up the room for good. */
  async prune(): Promise<void> {
    const used = JSON.stringify([...(await this.#edgesOfRollup())]);
    this.#database.run(
      "DELETE FROM edge WHERE id NOT IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT edge FROM access_log)",
      used,
    );
    this.forget();
  }

  /** What was learned in a transaction that was undone is not so. */
  forget(): void {
    this.#ids.clear();
    this.#newest = -1;
  }

  /** A few buckets at a time: together they may be larger than what memory should hold. */
  async #edgesOfRollup(): Promise<ReadonlySet<number>> {
    const edges = new Set<number>();
    for (let last = -1; ; ) {
      const rows = this.#database.all(
        "SELECT rowid AS id, entries FROM rollup WHERE rowid > ? ORDER BY rowid LIMIT 20",
        last,
      );
      if (rows.length === 0) return edges;
      for (const { id, entries } of rows) {
        last = Number(id);
        for (const entry = new BucketCursor(entries as Uint8Array); entry.next(); ) edges.add(entry.edge);
      }
      await nextTurn();
    }
  }

  /** Reads what was added since the last time. */
  #load(): void {
    const rows = this.#database.all("SELECT * FROM edge WHERE id > ?", this.#newest);
    this.#newest = Math.max(this.#newest, 0);
    for (const row of rows) {
      this.#ids.set(edgeId(toEdge(row)), Number(row.id));
      this.#newest = Math.max(this.#newest, Number(row.id));
    }
  }
}

export function toEdge(row: Row): EdgeRow {
  const text = (column: string) => String(row[column] ?? "");
  return {
    id: Number(row.id),
    reporter: row.reporter === "source" ? "source" : "destination",
    gateway: Boolean(row.gateway),
    source: {
      namespace: text("source_namespace"),
      app: text("source_app"),
      version: text("source_version"),
      workload: text("source_workload"),
    },
    service: text("service"),
    destination: {
      namespace: text("destination_namespace"),
      app: text("destination_app"),
      version: text("destination_version"),
      workload: text("destination_workload"),
    },
    protocol: row.protocol === "grpc" || row.protocol === "tcp" ? row.protocol : "http",
    mtls: Boolean(row.mtls),
  };
}
