import type { LogRecord } from "../../telemetry/log-record.ts";
import { insertInto, valuesOf } from "./columns/column.ts";
import { logColumns } from "./columns/log.ts";
import type { TelemetryDatabase } from "./database.ts";
import type { Resources } from "./resources.ts";

/** Applications' logs. */
export class LogWriter {
  readonly #db: TelemetryDatabase;
  readonly #resources: Resources;

  constructor(database: TelemetryDatabase, resources: Resources) {
    this.#db = database;
    this.#resources = resources;
  }

  write(logs: readonly LogRecord[], nowMs: number): void {
    const resources = this.#resources.idsOf(
      logs.map((log) => log.resource),
      nowMs,
    );
    for (const log of logs) {
      this.#db.run(insertLog, ...valuesOf(logColumns, { log, resource: resources.get(log.resource) ?? 0 }));
    }
  }
}

const insertLog = insertInto("log", logColumns);
