import type { ClientBase } from "pg";
import { type EdgeKey, edgeId, overflowEdge } from "../../../telemetry/record.ts";
import { BucketCursor } from "../bucket.ts";
import { edgeColumns } from "../columns/edge.ts";
import { dictionaryMs } from "../compaction.ts";

import { Dictionary } from "./dictionary.ts";

/** The dictionary of edges, within a number that all collectors share. */
export class PostgresEdges {
  readonly #dictionary: Dictionary<EdgeKey>;
  readonly #maxEdges: number;

  constructor(maxEdges: number) {
    this.#maxEdges = maxEdges;
    this.#dictionary = new Dictionary<EdgeKey>({
      table: "edge",
      columns: edgeColumns,
      maxKnown: maxEdges + 1000,
    });
  }

  /** The row id of each edge, in order; past the limit new ones share the overflow's. */
  async idsOf(
    client: ClientBase,
    edges: readonly { edge: EdgeKey; edgeId: string }[],
    nowMs: number,
  ): Promise<number[]> {
    const wanted = new Map(edges.map(({ edge, edgeId: id }) => [id, edge]));
    const counted = new Map<string, string>();
    for (const [id, edge] of await this.#tooMany(client, wanted)) {
      const overflow = overflowEdge(edge);
      wanted.delete(id);
      wanted.set(edgeId(overflow), overflow);
      counted.set(id, edgeId(overflow));
    }
    const ids = await this.#dictionary.idsOf(client, wanted, nowMs);
    return edges.map(({ edgeId: id }) => ids.get(counted.get(id) ?? id) as number);
  }

  forget(): void {
    this.#dictionary.forget();
  }

  /** Those that there is no room for. */
  async #tooMany(client: ClientBase, wanted: ReadonlyMap<string, EdgeKey>): Promise<[string, EdgeKey][]> {
    const unknown = [...wanted].filter(([id]) => !this.#dictionary.knows(id));
    if (unknown.length === 0) return [];
    const { rows } = await client.query<{ count: string }>("SELECT count(*) AS count FROM edge");
    const room = Math.max(0, this.#maxEdges - Number(rows[0]?.count ?? 0));
    if (unknown.length <= room) return [];
    const there = await this.#dictionary.existing(
      client,
      unknown.map(([id]) => id),
    );
    return unknown.filter(([id]) => !there.has(id)).slice(room);
  }
}

/** Forgets edges that no roll-up and no log entry is of, when there is half the number that there may be. */
export async function pruneEdges(client: ClientBase, maxEdges: number, nowMs: number): Promise<void> {
  // Whoever still knows one from before has to write it down anew before it is used, which is seen below.
  const seenBefore = Math.floor(nowMs - 2 * dictionaryMs);
  const { rows } = await client.query<{ id: number; all: string }>(
    `SELECT id, (SELECT count(*) FROM edge) AS all FROM edge WHERE seen_at < $1
       AND NOT EXISTS (SELECT FROM access_log WHERE access_log.edge = edge.id)`,
    [seenBefore],
  );
  if (Number(rows[0]?.all ?? 0) <= maxEdges / 2) return;
  const used = await edgesOfRollup(client);
  const unused = rows.map(({ id }) => id).filter((id) => !used.has(id));
  await client.query("DELETE FROM edge WHERE id = ANY($1::integer[]) AND seen_at < $2", [unused, seenBefore]);
}

/** A few buckets at a time: together they may be larger than what memory should hold. */
async function edgesOfRollup(client: ClientBase): Promise<ReadonlySet<number>> {
  const edges = new Set<number>();
  await client.query("BEGIN; DECLARE buckets NO SCROLL CURSOR FOR SELECT entries FROM rollup");
  for (;;) {
    const { rows } = await client.query<{ entries: Buffer }>("FETCH 20 FROM buckets");
    for (const { entries } of rows) {
      for (const entry = new BucketCursor(entries); entry.next(); ) edges.add(entry.edge);
    }
    if (rows.length === 0) break;
  }
  await client.query("COMMIT");
  return edges;
}
