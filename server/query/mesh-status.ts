import type {
  FaultList,
  MeshService,
  MeshStatus,
  ProxyList,
  PushLatency,
  PushStatus,
  TelemetryHealth,
} from "../contract/index.ts";
import { DashboardError } from "../contract/index.ts";

export interface MeshStatusSources {
  mesh: string;
  proxies(): Promise<ProxyList>;
  lastPush(): Promise<PushStatus | null>;
  pushes(): Promise<PushLatency>;
  services(): Promise<MeshService[]>;
  faults(): Promise<FaultList>;
  freshAt(): Promise<number | null>;
  collector(): Promise<TelemetryHealth>;
  now(): number;
}

/** What is always in sight. Never rejects: a part that can't be reached is said to be so, and the rest stands. */
export function createMeshStatus(sources: MeshStatusSources): () => Promise<MeshStatus> {
  let unreachableSince: number | null = null;
  return async () => {
    const [proxies, push, services, faults, freshAt, pushes, collector] = await Promise.allSettled([
      sources.proxies(),
      sources.lastPush(),
      sources.services(),
      sources.faults(),
      sources.freshAt(),
      sources.pushes(),
      sources.collector(),
    ]);
    const failed = [proxies, push, services, faults].find((part) => part.status === "rejected");
    unreachableSince = failed ? (unreachableSince ?? sources.now()) : null;
    const fleet = proxies.status === "fulfilled" ? proxies.value.proxies : [];
    const has = (state: string) =>
      fleet.filter((proxy) => Object.values(proxy.types).some((type) => type?.state === state)).length;
    const disconnected = fleet.filter((proxy) => !proxy.connected).length;
    const refused = has("ERROR");
    const lagging = has("STALE");
    const origins = fleet.flatMap(({ types }) => Object.values(types).flatMap(({ errors }) => errors));
    const refusedObjects = new Set(origins.flatMap(({ origin }) => origin ?? [])).size;
    const outOfSync = fleet.filter((proxy) =>
      Object.values(proxy.types).some((type) => type?.state === "ERROR" || type?.state === "STALE"),
    ).length;
    return {
      at: sources.now(),
      mesh: sources.mesh,
      proxies: { total: fleet.length, inSync: fleet.length - outOfSync - disconnected, refused, lagging, disconnected },
      lastPush: valueOr(push, null),
      pushes: valueOr(pushes, null),
      services: valueOr(services, []).length,
      refusedObjects,
      faults: faults.status === "fulfilled" ? faults.value.faults.length : 0,
      freshAt: valueOr(freshAt, null),
      controlPlane: { reachable: !failed, since: unreachableSince, message: failed ? reason(failed) : null },
      telemetry: {
        reachable: freshAt.status === "fulfilled",
        message: freshAt.status === "rejected" ? reason(freshAt) : null,
        collector: valueOr(collector, null),
      },
    };
  };
}

const valueOr = <T, F>(part: PromiseSettledResult<T>, fallback: F): T | F =>
  part.status === "fulfilled" ? part.value : fallback;

const reason = (part: PromiseRejectedResult): string =>
  part.reason instanceof DashboardError || part.reason instanceof Error ? part.reason.message : String(part.reason);
