import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * Takes an exclusive lock on a file that is for nothing else (it stays empty), and returns its release; undefined while another process has it.
 * The kernel holds it for as long as this process lives, so there is none left over after a crash or a kill, and no pid that could be somebody
 * else's by now. Node has no `flock` of its own; SQLite's locks on a file are the kernel's, and Node has SQLite.
 * https://www.sqlite.org/lockingv3.html
 */
export function tryLockFile(path: string): (() => void) | undefined {
  for (let attempt = 0; ; attempt++) {
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      held.add(file);
      return () => {
        if (held.delete(file)) file.close();
      };
    } catch (error) {
      file.close();
      const code = (error as { errcode?: number }).errcode;
      if (code === busy) return undefined;
      // Something else was written there. Nobody can hold a lock on what is no database.
      if (code !== notADatabase || attempt > 0) throw error;
      rmSync(path, { force: true });
    }
  }
}

/** So that a lock lasts although nobody holds on to its release: a database that is collected is closed. */
const held = new Set<DatabaseSync>();

/** https://www.sqlite.org/rescode.html */
const busy = 5;
const notADatabase = 26;
