import { writeSync } from "node:fs";
import { pino } from "pino";

/** Structured logs as one JSON object a line on stderr; LIMPID_LOG_LEVEL sets the level (default `info`). */
export type Logger = Pick<
  ReturnType<typeof pino>,
  "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "isLevelEnabled" | "level"
> & {
  child(bindings: Record<string, unknown>): Logger;
};

export const createLogger = (component: string, level = logLevelOf(process.env.LIMPID_LOG_LEVEL)): Logger =>
  pino({ level, base: { component }, timestamp: pino.stdTimeFunctions.isoTime }, stderr);

const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** The level that LIMPID_LOG_LEVEL names; throws one sentence when there is no such level. */
export function logLevelOf(value: string | undefined): string {
  if (!value) return "info";
  if (levels.includes(value)) return value;
  throw new Error(`LIMPID_LOG_LEVEL ${JSON.stringify(value)}: must be one of ${levels.join(", ")}`);
}

/**
 * A line that nobody takes is dropped. Pino's own destination retries a write to a closed pipe for ever when the process exits
 * (sonic-boom's flushSync), so that whatever was started by a process that got killed would outlive it.
 */
const stderr = {
  write(line: string): void {
    try {
      writeSync(2, line);
    } catch {
      // EPIPE: the reader is gone. EAGAIN: it does not keep up, and the work goes first.
    }
  },
};

/** For tests and pure code that takes a logger: says nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
