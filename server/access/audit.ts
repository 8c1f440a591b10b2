import type { AuditEntry, AuditPage, AuditQuery } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { Attempts } from "./attempts.ts";
import type { AccessStore } from "./store.ts";

/** What somebody did, or tried. */
export interface Deed {
  actor: string;
  way: string;
  address: string;
  action: string;
  target?: string;
  result: AuditEntry["result"];
  reason?: string;
  diff?: string;
}

export interface Audit {
  note(deed: Deed): Promise<void>;
  page(query: AuditQuery): Promise<AuditPage>;
  bounds(now: number): { auditSince: number; maxAudit: number };
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/** Of one address. */
const failuresKept = { failures: 120, windowMs: 60_000 };
const keptDays = 400;
const keptEntries = 50_000;
const maxDiff = 16_384;
const maxText = 1_000;

/** Also a line in the log of the process, so that it can be kept elsewhere, where whoever administers this can't reach it. */
export function createAudit({
  store,
  clock,
  logger,
}: {
  store: AccessStore;
  clock: Clock;
  logger: Pick<Logger, "info" | "error">;
}): Audit {
  const writing = new Set<Promise<void>>();
  const unsuccessful = new Attempts(failuresKept, clock);
  return {
    async note(deed) {
      if (deed.result !== "done") {
        // Whoever goes on and on is known by then, and must not push everything else out.
        if (unsuccessful.waitMs(deed.address) > 0) return;
        unsuccessful.begin(deed.address);
      }
      const entry = {
        at: clock.now(),
        actor: bounded(deed.actor, 200),
        way: bounded(deed.way, 20),
        address: bounded(deed.address, 100),
        action: bounded(deed.action, 100),
        target: bounded(deed.target ?? "", maxText),
        result: deed.result,
        reason: bounded(deed.reason ?? "", maxText),
        diff: shortened(deed.diff ?? ""),
      };
      logger.info({ audit: entry }, "audit");
      const written = store.appendAudit(entry).catch((error: unknown) => {
        logger.error({ err: error, audit: entry }, "the audit could not be written");
      });
      writing.add(written);
      await written.finally(() => writing.delete(written));
    },
    async page(query) {
      const entries = await store.audit({ ...query, limit: query.limit + 1 });
      const more = entries.length > query.limit;
      return { entries: entries.slice(0, query.limit), more, keptDays, keptEntries };
    },
    bounds: (now) => ({ auditSince: now - keptDays * 86_400_000, maxAudit: keptEntries }),
    close: async () => void (await Promise.all(writing)),
  };
}

/** Lines of a log can't be forged by what stands in a name. */
const bounded = (text: string, max: number): string => text.replace(/\p{C}/gu, " ").slice(0, max);

const shortened = (diff: string): string =>
  diff.length <= maxDiff ? diff : `${diff.slice(0, maxDiff)}\n… ${diff.length - maxDiff} more characters\n`;
