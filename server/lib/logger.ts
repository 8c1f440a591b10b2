import { pino } from "pino";

/** Structured logs as one JSON object a line on stderr; LIMPID_LOG_LEVEL sets the level (default `info`). */
export type Logger = Pick<
  ReturnType<typeof pino>,
  "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "isLevelEnabled" | "level"
> & {
  child(bindings: Record<string, unknown>): Logger;
};

export const createLogger = (component: string, level = process.env.LIMPID_LOG_LEVEL ?? "info"): Logger =>
  pino({ level, base: { component }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));

/** For tests and pure code that takes a logger: says nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
