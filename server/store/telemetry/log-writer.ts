import type { LogRecord } from "../../telemetry/log-record.ts";
import type { TelemetryDatabase } from "./database.ts";
import type { Resources } from "./resources.ts";
import { fromHex } from "./trace-draft.ts";

/** As JSON; empty: none. */
export const scopeAttributesOf = ({ scopeAttributes }: LogRecord): string =>
  Object.keys(scopeAttributes).length === 0 ? "" : JSON.stringify(scopeAttributes);

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
      this.#db.run(
        insertLog,
        log.atUs,
        log.service,
        log.severity,
        log.severityText,
        log.body,
        log.eventName,
        fromHex(log.traceId),
        fromHex(log.spanId),
        log.scope,
        scopeAttributesOf(log),
        JSON.stringify(log.attributes),
        resources.get(log.resource) ?? 0,
      );
    }
  }
}

const insertLog = `INSERT INTO log (at_us, service, severity, severity_text, body, event_name, trace_id, span_id, scope, scope_attributes, attributes, resource)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
