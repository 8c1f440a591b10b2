import { expiredFaults, nextFaultEnd, removeFault, type VirtualService } from "../config/edits/index.ts";
import { virtualService as virtualServiceKind } from "../config/kinds/virtual-service.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import { type ConfigStore, ConflictError, NotFoundError, type Write } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { overReason } from "./api/limpid/change-summary.ts";
import { prepareUpdate } from "./api/object-writer.ts";
import { followCommits } from "./follow-commits.ts";

export interface FaultFuse {
  /** Ends when the store can be followed; faults whose time ran out while nobody watched are removed by then. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const author = "limpid (fuse)";
/** A timer's longest wait: setTimeout takes 31 bits of milliseconds. */
const maxWaitMs = 24 * 3_600_000;
const retryMs = 1_000;

/**
 * Ends faults when their time is over. The end is written in the VirtualService beside the fault, so it holds over restarts: there is no
 * other memory than the store, and one timer for the next end.
 */
export function createFaultFuse(options: { store: ConfigStore; clock: Clock; logger: Logger }): FaultFuse {
  const { store, clock, logger } = options;
  const closing = new AbortController();
  let timer: { cancel(): void } | undefined;
  let running: Promise<void> = Promise.resolve();
  let following: Promise<void> = Promise.resolve();

  /** One check after the other; a failure is tried again, for a fault must not burn on because the store hiccuped. */
  function check(): Promise<void> {
    running = running.then(async () => {
      if (closing.signal.aborted) return;
      try {
        schedule(await burn());
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ err: error }, "faults could not be looked through");
        schedule(clock.now() + retryMs);
      }
    });
    return running;
  }

  function schedule(at: number | undefined): void {
    timer?.cancel();
    timer = undefined;
    if (at === undefined || closing.signal.aborted) return;
    timer = clock.setTimeout(() => void check(), Math.min(Math.max(0, at - clock.now()), maxWaitMs));
  }

  /** Removes what is over; returns when to look again. One object that resists doesn't keep the others' faults burning. */
  async function burn(): Promise<number | undefined> {
    const again: number[] = [];
    for (const { virtualService, ids } of expiredFaults(await listVirtualServices(), clock.now())) {
      const object = formatKey(keyOf(virtualService as ConfigObject));
      const reason = overReason(virtualService.metadata.name);
      try {
        await store.commit([toWrite(virtualService, ids)], author, { reason });
        logger.info({ object, faults: ids }, "a fault has ended");
      } catch (error) {
        const isRace = error instanceof ConflictError || error instanceof NotFoundError;
        if (!isRace) logger.warn({ err: error, object }, "a fault whose time is over could not be removed yet");
        again.push(clock.now() + (isRace ? 0 : retryMs));
      }
    }
    if (again.length > 0) return Math.min(...again);
    return nextFaultEnd(await listVirtualServices());
  }

  const listVirtualServices = async (): Promise<VirtualService[]> =>
    (await store.list({ kind: "VirtualService" })).items as unknown as VirtualService[];

  function toWrite(virtualService: VirtualService, ids: readonly string[]): Write {
    const before = virtualService as ConfigObject;
    const expect = before.metadata.resourceVersion;
    const result = removeFault(virtualService, ...ids);
    if (!result.ok) throw new Error(result.errors.map((error) => error.message).join("; "));
    if (result.value === undefined) return { op: "delete", key: keyOf(before), ...(expect ? { expect } : {}) };
    const writer = { clock, manager: "limpid", version: virtualServiceKind.version };
    const object = prepareUpdate(virtualServiceKind, { ...result.value }, before, writer);
    return { op: "put", object, ...(expect ? { expect } : {}) };
  }

  return {
    async start() {
      const revision = await store.revision();
      await check();
      following = followCommits({
        store,
        clock,
        logger,
        from: revision,
        signal: closing.signal,
        onCommit: async ({ changes }) => {
          if (changes.some((change) => change.key.kind === "VirtualService")) await check();
        },
        onLost: check,
      });
    },
    async close() {
      closing.abort();
      timer?.cancel();
      await Promise.allSettled([running, following]);
    },
  };
}
