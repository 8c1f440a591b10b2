import type { ResourceKey } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import type { EnvoyPreview, PushLatency, PushStatus, PushSummary } from "../contract/index.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { Distributor } from "./distributor.ts";
import { Foreteller, type Foretold, type Rehearse } from "./foretell.ts";
import type { KnownProxies } from "./known-proxies.ts";
import { configPathOf } from "./origins.ts";
import type { PendingChanges } from "./pending-changes.ts";
import type { MeshPipeline } from "./pipeline.ts";
import { previewChange } from "./preview.ts";
import type { PushLatencies } from "./push-latencies.ts";
import type { PushTracker } from "./push-tracker.ts";
import type { RefusalMemory } from "./refusal-memory.ts";

export interface Pushes {
  get(revision: number | "latest"): PushStatus | undefined;
  /** Those that are remembered, the newest first. */
  history(): PushSummary[];
  /** How many connected proxies a change of these objects concerns: exact for what they already use, else an upper bound. */
  affected(keys: readonly ResourceKey[]): number;
  /** What the changes, not made yet, would mean for the connected proxies, and what of it they would refuse. `shown` false: only that. */
  preview(
    changes: readonly ConfigChange[],
    options?: { shown?: boolean },
  ): Promise<{ envoy: EnvoyPreview; refusals: Foretold[] }>;
  /** How long the pushes of the last day took. */
  latency(): PushLatency;
  /** When every affected proxy has answered, or as it stands after `timeoutMs`. */
  wait(revision: number, timeoutMs: number): Promise<PushStatus | undefined>;
}

export interface PushesOptions {
  tracker: PushTracker;
  latencies: PushLatencies;
  known: KnownProxies;
  distributor: Distributor;
  pipeline: MeshPipeline;
  pending: PendingChanges;
  memory: RefusalMemory;
  rehearse?: Rehearse | undefined;
}

/** What may be asked of pushes, made and not made yet. */
export function createPushes(options: PushesOptions): Pushes {
  const { tracker, latencies, known, distributor, pipeline, pending, memory, rehearse } = options;
  const withMissed = (status: PushStatus | undefined) => status && { ...status, missed: known.missed(status.revision) };
  return {
    get: (revision) => withMissed(tracker.get(revision)),
    history: () => tracker.history(),
    latency: () => latencies.summary(),
    wait: async (revision, timeoutMs) => withMissed(await tracker.wait(revision, timeoutMs)),
    affected: (keys) => affected(distributor, keys),
    async preview(changes, { shown = true } = {}) {
      const implementations = new Map(known.list().map(({ id, implementation }) => [id, implementation]));
      const implementationOf = ({ id }: MeshProxy) => implementations.get(id) ?? "";
      const foreteller = new Foreteller({ rehearse, memory, implementationOf });
      const translate = pipeline.preview(changes, pending.peek());
      const envoy = await previewChange(translate, distributor.proxies(), { foreteller, shown });
      return { envoy, refusals: foreteller.refusals };
    },
  };
}

/** What an object leaves no trace of in resources (services, workloads, what is new) may concern everyone; a gateway, routers. */
function affected(distributor: Distributor, keys: readonly ResourceKey[]): number {
  const paths = keys.flatMap((key) => configPathOf(key) ?? []);
  const untraced = keys.filter((key) => {
    const path = configPathOf(key);
    return path === undefined || !distributor.isTraced(path);
  });
  if (untraced.length === 0) return distributor.countAffected(paths, undefined);
  const onlyGateways = untraced.every((key) => key.kind === "Gateway");
  return distributor.countAffected(paths, (proxy) => !onlyGateways || proxy.type === "router");
}
