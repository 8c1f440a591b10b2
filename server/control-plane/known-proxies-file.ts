import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { KnownProxy } from "../contract/index.ts";
import type { Logger } from "../lib/logger.ts";
import type { KnownProxiesFile } from "./known-proxies.ts";

const Record = z.object({
  savedAt: z.number(),
  proxies: z.array(KnownProxy.extend({ registered: z.boolean().optional() })),
});

/**
 * A file of its own beside config.db, replaced as a whole: it is a memory, not config, and nothing breaks without it. One that can't be read
 * is as none.
 */
export function knownProxiesFile(path: string, logger: Logger): KnownProxiesFile {
  return {
    load() {
      try {
        return Record.parse(JSON.parse(readFileSync(path, "utf8")));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
          logger.warn({ err: error, path }, "the known proxies can't be read; only those that connect now are known");
        }
        return undefined;
      }
    },
    save(record) {
      const staged = `${path}.${process.pid}.new`;
      try {
        writeFileSync(staged, JSON.stringify(record), { mode: 0o600 });
        renameSync(staged, path);
      } catch (error) {
        rmSync(staged, { force: true });
        throw error;
      }
    },
  };
}
