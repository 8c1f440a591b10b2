import type { ConfigSource } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { checkedPorts } from "../model/health-checks.ts";
import type { RateLimiter } from "../ratelimit/rate-limiter.ts";
import type { PlaneCounters } from "./counters.ts";
import { Debounce, type DebounceOptions } from "./debounce.ts";
import type { Distributor } from "./distributor.ts";
import { HealthFacts } from "./health-facts.ts";
import type { IstiodMetrics } from "./istiod-metrics.ts";
import { PendingChanges } from "./pending-changes.ts";
import type { MeshPipeline } from "./pipeline.ts";
import type { PushTracker } from "./push-tracker.ts";
import type { Registrations } from "./registration/registrations.ts";
import { followStore } from "./store-follower.ts";

export interface MeshUpdatesOptions {
  store: ConfigSource;
  pipeline: MeshPipeline;
  distributor: Distributor;
  tracker: PushTracker;
  limiter: RateLimiter;
  count: PlaneCounters;
  istiod: IstiodMetrics;
  /** What registers itself, and goes into the mesh beside commits. */
  registered(changed: () => void): Pick<Registrations, "changesFor">;
  debounce: DebounceOptions;
  clock: Clock;
  logger: Logger;
}

export interface MeshUpdates {
  readonly facts: HealthFacts;
  readonly pending: PendingChanges;
  /** Reads the store. */
  start(): Promise<void>;
  /** From here on what is read is pushed. */
  serve(): void;
  stop(): Promise<void>;
  checks(): { name: string; problem?: string | undefined }[];
}

/** Follows what changes, in the store and in what probing proxies find, and brings it to everyone. */
export function followMesh(options: MeshUpdatesOptions): MeshUpdates {
  const { store, pipeline, distributor, tracker, limiter, count, istiod, clock, logger } = options;
  const pending = new PendingChanges();
  const facts = new HealthFacts({ clock, onChange: () => debounce.poke() });
  const registered = options.registered(() => debounce.poke());
  const register = () => {
    const changes = registered.changesFor(pipeline.mesh([]));
    if (changes.length === 0) return;
    pipeline.apply(changes, pipeline.revision);
    istiod.changed(changes);
  };
  let limits = pipeline.rateLimits();
  const reloadLimits = () => {
    if (limits === pipeline.rateLimits()) return;
    limits = pipeline.rateLimits();
    limiter.reload(limits);
  };
  /** Why the mesh that is served lacks changes. */
  let stale: string | undefined;
  let isServed = false;

  async function push(): Promise<void> {
    const { changes, commits, revision } = pending.take();
    try {
      pipeline.apply(changes, revision ?? pipeline.revision);
      pipeline.observe(facts.health);
      register();
      stale = undefined;
      reloadLimits();
      facts.setPorts(checkedPorts(pipeline.mesh([])));
    } catch (error) {
      stale = `revision ${revision} could not be applied, the last mesh stays in force: ${error instanceof Error ? error.message : error}`;
      // Whoever corrects it sends another change; what was beside it must not get lost.
      pending.giveBack(changes);
      logger.error({ err: error, revision }, "the mesh could not be updated");
      count.translateFailures();
      istiod.failed();
    }
    istiod.triggered(commits.length > 0 ? "config" : "endpoint");
    tracker.begin(commits);
    await distributor.distribute((session, name) => {
      count.affected();
      tracker.affect(commits, session, name);
    });
    tracker.seal(commits);
  }

  const debounce = new Debounce(clock, options.debounce, push);
  const follower = followStore({
    store,
    clock,
    logger,
    onList(objects, revision) {
      pending.take();
      pipeline.reset(objects, revision);
      register();
      reloadLimits();
      facts.setPorts(checkedPorts(pipeline.mesh([])));
      if (isServed) debounce.poke();
    },
    onCommit(commit) {
      pending.add(commit);
      istiod.changed(commit.changes);
      debounce.poke();
    },
  });
  return {
    facts,
    pending,
    start: () => follower.start(),
    serve() {
      isServed = true;
    },
    async stop() {
      isServed = false;
      await follower.stop();
      facts.stop();
      await debounce.stop();
    },
    checks: () => [
      { name: "config-watch", problem: follower.problem() },
      { name: "mesh", problem: stale },
    ],
  };
}
