import { expiredFaults, nextFaultEnd, removeFault, type VirtualService } from "../config/edits/index.ts";
import { virtualService as virtualServiceKind } from "../config/kinds/virtual-service.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import { type ConfigStore, ConflictError, NotFoundError, type Write } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { overReason } from "./api/limpid/change-summary.ts";
import { prepareUpdate } from "./api/object-writer.ts";
import { createTimedLook, retryMs, type TimedLook } from "./timed-look.ts";

/** Once it has started, faults whose time ran out while nobody watched are removed. */
export type FaultFuse = TimedLook;

const author = "limpid (fuse)";

/**
 * Ends faults when their time is over. The end is written in the VirtualService beside the fault, so it holds over restarts: there is no
 * other memory than the store, and one timer for the next end.
 */
export function createFaultFuse(options: { store: ConfigStore; clock: Clock; logger: Logger }): FaultFuse {
  const { store, clock, logger } = options;
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

  return createTimedLook({
    store,
    clock,
    logger,
    kinds: new Set(["VirtualService"]),
    look: burn,
    failure: "faults could not be looked through",
  });
}
