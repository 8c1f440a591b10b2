import type { Attributes } from "../../telemetry/attributes.ts";
import { dictionaryMs } from "./compaction.ts";
import type { TelemetryDatabase } from "./database.ts";

const maxKnown = 10_000;

/** The dictionary of what makes spans and logs, held in memory by its only writer. Row 0 is "nothing is known of it", and is not there. */
export class Resources {
  readonly #db: TelemetryDatabase;
  readonly #known = new Map<string, { id: number; seenAtMs: number }>();

  constructor(database: TelemetryDatabase) {
    this.#db = database;
  }

  /** The row of each resource of a batch, whose records share the object. */
  idsOf(resources: Iterable<Attributes>, nowMs: number): ReadonlyMap<Attributes, number> {
    const ids = new Map<Attributes, number>();
    for (const resource of resources) if (!ids.has(resource)) ids.set(resource, this.#idOf(resource, nowMs));
    return ids;
  }

  forget(): void {
    this.#known.clear();
  }

  #idOf(resource: Attributes, nowMs: number): number {
    const attributes = JSON.stringify(resource);
    if (attributes === "{}") return 0;
    const known = this.#known.get(attributes);
    if (known !== undefined && nowMs - known.seenAtMs < dictionaryMs) return known.id;
    const row = this.#db.get(
      `INSERT INTO resource (attributes, seen_at) VALUES (?, ?)
       ON CONFLICT (attributes) DO UPDATE SET seen_at = excluded.seen_at RETURNING id`,
      attributes,
      nowMs,
    );
    const id = Number(row?.id ?? 0);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(attributes, { id, seenAtMs: nowMs });
    return id;
  }
}
