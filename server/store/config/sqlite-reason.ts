/** SQLite's own words on why it refused, such as `SQLITE_FULL: database or disk is full`; undefined when it wasn't SQLite. */
export function sqliteReason(error: unknown): string | undefined {
  for (let at: unknown = error; typeof at === "object" && at !== null; at = "cause" in at ? at.cause : undefined) {
    // An adapter's error has the driver's words in its cause, which is no Error.
    const words = "originalMessage" in at ? at.originalMessage : at instanceof Error ? at.message : "";
    const found = /SQLITE_[A-Z_]+: [^:\n]*/.exec(String(words));
    if (found) return found[0];
  }
  return undefined;
}

/** What a new connection mends: a statement that was left open, a file that was opened while it could only be read. */
export const isConnectionStale = (reason: string): boolean =>
  /^SQLITE_(BUSY|READONLY|CANTOPEN|IOERR|LOCKED)/.test(reason);
