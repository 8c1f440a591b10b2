import { formatKey, keyOf } from "../../config/object.ts";
import { ConflictError, NotFoundError, ReadOnlyStoreError } from "../../config/store.ts";
import type { CanaryObserved, CanaryStatus, CanaryView } from "../../contract/index.ts";
import type { ApiContext } from "../api/context.ts";
import { createTimedLook, retryMs, type TimedLook } from "../timed-look.ts";
import { advance, holdMsOf, isMeasured } from "./advance.ts";
import { commitMove } from "./commit-move.ts";
import type { ReadSignals } from "./signals.ts";
import { type CanaryObject, canaryOf, serviceOf, statusOf, targetOf } from "./world.ts";

export interface CanaryController extends TimedLook {
  /** What it measured last of a canary that runs, by `<namespace>/<name>`. */
  live(key: string): CanaryView["live"];
}

export interface CanaryControllerOptions {
  context: Pick<ApiContext, "store" | "services" | "kinds" | "clock" | "logger">;
  signals: ReadSignals;
}

const author = "limpid (canary)";
/** Between two looks at what is held: soon enough to stop harm, and no load. */
const maxPaceMs = 5_000;

/**
 * Moves canaries on. There is no memory but the store: what it measured is asked for again after a restart, and a step that was made is in the
 * same commit as the status that says so.
 */
export function createCanaryController({ context, signals }: CanaryControllerOptions): CanaryController {
  const { store, clock, logger } = context;
  const measured = new Map<string, NonNullable<CanaryView["live"]>>();

  /** Looks at each once; returns when to look again. One that resists doesn't keep the others. */
  async function look(): Promise<number | undefined> {
    const { items } = await store.list({ kind: "Canary" });
    const keys = new Set(items.map((one) => nameOf(canaryOf(one))));
    for (const key of measured.keys()) if (!keys.has(key)) measured.delete(key);
    const again: number[] = [];
    for (const item of items) {
      const canary = canaryOf(item);
      try {
        const next = await lookAt(canary);
        if (next !== undefined) again.push(next);
      } catch (error) {
        const isRace = error instanceof ConflictError || error instanceof NotFoundError;
        // Config in files is written by others: until they do, there is nothing to try again.
        const isReadOnly = error instanceof ReadOnlyStoreError;
        if (!isRace) logger.warn({ err: error, object: formatKey(keyOf(item)) }, "a canary could not be moved yet");
        if (!isReadOnly) again.push(clock.now() + (isRace ? 0 : retryMs));
      }
    }
    return again.length > 0 ? Math.min(...again) : undefined;
  }

  async function lookAt(canary: CanaryObject): Promise<number | undefined> {
    const { spec } = canary;
    const status = statusOf(canary);
    const key = nameOf(canary);
    const target = await targetOf(context, canary);
    const route = target?.route ?? `there is no service ${spec.service.name} in ${serviceOf(canary).namespace}`;
    const observed = isMeasured(spec, status) ? await measure(canary, status) : undefined;
    const advice = advance(spec, status, { now: clock.now(), route, observed });
    if (advice.is === "move") {
      measured.delete(key);
      await commitMove(context, { canary, target, move: advice.move, author });
      const { phase, message } = advice.move.status;
      logger.info({ object: `Canary/${key}`, event: advice.move.event, phase, message }, "a canary moved");
      return clock.now();
    }
    if (!isMeasured(spec, status)) {
      measured.delete(key);
      return undefined;
    }
    const live = measured.get(key);
    if (live && live.waiting !== "signals") live.waiting = advice.for ?? null;
    const pace = Math.min(maxPaceMs, Math.max(500, holdMsOf(spec, status.step) / 4));
    const next = clock.now() + pace;
    return advice.until !== undefined && advice.until > clock.now() ? Math.min(next, advice.until) : next;
  }

  /** Of the step from its beginning. */
  async function measure(canary: CanaryObject, status: CanaryStatus): Promise<CanaryObserved | undefined> {
    const key = nameOf(canary);
    const windowSec = (clock.now() - Date.parse(status.since)) / 1000;
    const before = measured.get(key)?.observed ?? null;
    try {
      const { from, to } = status;
      const query = { service: serviceOf(canary), from: from.version, to: to.version, windowSec };
      const observed = await signals(query);
      measured.set(key, { observed, waiting: null, why: null });
      return observed;
    } catch (error) {
      measured.set(key, {
        observed: before,
        waiting: "signals",
        why: error instanceof Error ? error.message : `${error}`,
      });
      return undefined;
    }
  }

  const timed = createTimedLook({
    store,
    clock,
    logger,
    concerns: ({ key }) => moving.has(key.kind),
    look,
    failure: "canaries could not be looked through",
  });
  return { ...timed, live: (key) => measured.get(key) ?? null };
}

/** What a canary's weights and versions are told by. */
const moving = new Set(["Canary", "VirtualService", "DestinationRule", "Service", "ServiceEntry", "WorkloadEntry"]);

const nameOf = ({ metadata }: CanaryObject): string => `${metadata.namespace}/${metadata.name}`;
