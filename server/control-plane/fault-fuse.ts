import {
  type ExpiredFaults,
  expiredFaults,
  hasRecords,
  nextFaultEnd,
  removeFault,
  type VirtualService,
} from "../config/edits/index.ts";
import { virtualService as virtualServiceKind } from "../config/kinds/virtual-service.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import { type ConfigChange, type ConfigStore, ConflictError, NotFoundError, type Write } from "../config/store.ts";
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
    // A fault at a service's own rules and at a gateway's was begun as one, and ends as one.
    const before = await listVirtualServices();
    const expired = expiredFaults(before, clock.now());
    for (const group of Map.groupBy(expired, ({ ids }) => ids.toSorted().join(" ")).values()) {
      for (const at of await end(group)) again.push(at);
    }
    if (again.length > 0) return Math.min(...again);
    return nextFaultEnd(expired.length > 0 ? await listVirtualServices() : before);
  }

  /** Returns when to try again what could not be ended. */
  async function end(group: readonly ExpiredFaults[]): Promise<number[]> {
    const objects = group.map(({ virtualService }) => formatKey(keyOf(virtualService as ConfigObject)));
    const services = new Set(group.flatMap((one) => one.services));
    try {
      await store.commit(group.map(toWrite), author, { reason: overReason([...services].join(",")) });
      logger.info({ objects, faults: group[0]?.ids }, "a fault has ended");
      return [];
    } catch (error) {
      if (error instanceof ConflictError || error instanceof NotFoundError) return [clock.now()];
      if (group.length > 1) return (await Promise.all(group.map((one) => end([one])))).flat();
      logger.warn({ err: error, objects }, "a fault whose time is over could not be removed yet");
      return [clock.now() + retryMs];
    }
  }

  const listVirtualServices = async (): Promise<VirtualService[]> =>
    (await store.list({ kind: "VirtualService" })).items as unknown as VirtualService[];

  function toWrite({ virtualService, ids }: ExpiredFaults): Write {
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
    concerns: hasOrHadFaults,
    look: burn,
    failure: "faults could not be looked through",
  });
}

/** Whatever else changes, the faults that there are end when they would have ended. */
const hasOrHadFaults = ({ key, type, before, after }: ConfigChange): boolean => {
  if (key.kind !== "VirtualService") return false;
  const isKnown = type === "ADDED" || before !== undefined;
  return (
    !isKnown ||
    [before, after].some((object) => object !== undefined && hasRecords(object as ConfigObject as VirtualService))
  );
};
