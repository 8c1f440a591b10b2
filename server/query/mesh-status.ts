import {
  type Alerts,
  DashboardError,
  type FaultList,
  type GatewayList,
  gatewayTrouble,
  lifeOf,
  type MeshService,
  type MeshStatus,
  type ProxyList,
  type PushLatency,
  type PushStatus,
  type ServiceList,
  type TelemetryHealth,
} from "../contract/index.ts";

export interface MeshStatusSources {
  mesh: string;
  proxies(): Promise<ProxyList>;
  lastPush(): Promise<PushStatus | null>;
  pushes(): Promise<PushLatency>;
  services(): Promise<MeshService[]>;
  gateways(): Promise<GatewayList>;
  faults(): Promise<FaultList>;
  collector(): Promise<TelemetryHealth>;
  /** Their health over the last minute. */
  health(): Promise<ServiceList>;
  /** What people are told of; left out where nobody looks. */
  alerts?(): Promise<Alerts>;
  security?(): Promise<MeshStatus["security"]>;
  freshness(): Promise<{ freshAt: number | null; silentSince: number | null }>;
  now(): number;
}

/** What is always in sight. Never rejects: a part that can't be reached is said to be so, and the rest stands. */
export function createMeshStatus(sources: MeshStatusSources): () => Promise<MeshStatus> {
  let unreachableSince: number | null = null;
  return async () => {
    const [proxies, push, services, faults, freshness, pushes, collector, health, alerts, gateways, security] =
      await Promise.allSettled([
        sources.proxies(),
        sources.lastPush(),
        sources.services(),
        sources.faults(),
        sources.freshness(),
        sources.pushes(),
        sources.collector(),
        sources.health(),
        sources.alerts?.(),
        sources.gateways(),
        sources.security?.(),
      ]);
    const at = sources.now();
    const failed = [proxies, push, services, faults].find((part) => part.status === "rejected");
    unreachableSince = failed ? (unreachableSince ?? sources.now()) : null;
    const fleet = proxies.status === "fulfilled" ? proxies.value.proxies : [];
    const has = (state: string) =>
      fleet.filter((proxy) => Object.values(proxy.types).some((type) => type?.state === state)).length;
    const disconnected = fleet.filter((proxy) => !proxy.connected).length;
    const refused = has("ERROR");
    const lagging = has("STALE");
    // What comes from no one object (a service's cluster) is told by its own name.
    const refusals = fleet.flatMap(({ types }) => Object.values(types).flatMap(({ errors }) => errors));
    const refusedObjects = new Set(refusals.map(({ origin, resource }) => origin ?? resource)).size;
    const outOfSync = fleet.filter((proxy) =>
      Object.values(proxy.types).some((type) => type?.state === "ERROR" || type?.state === "STALE"),
    ).length;
    const lateCertificates = fleet.filter(
      ({ connected, certificate }) => connected && certificate && lifeOf(certificate, at).tone !== "plain",
    ).length;
    return {
      at,
      mesh: sources.mesh,
      proxies: {
        total: fleet.length,
        inSync: fleet.length - outOfSync - disconnected,
        refused,
        lagging,
        disconnected,
        lateCertificates,
      },
      lastPush: valueOr(push, null),
      pushes: valueOr(pushes, null),
      services: valueOr(services, []).length,
      trouble: health.status === "fulfilled" ? troubleOf(health.value) : null,
      gateways: gateways.status === "fulfilled" ? gatewaysOf(gateways.value, at) : null,
      alerts: alertsOf(valueOr(alerts, undefined)),
      security: valueOr(security, null),
      refusedObjects,
      faults: faults.status === "fulfilled" ? faults.value.faults.length : 0,
      freshAt: valueOr(freshness, null)?.freshAt ?? null,
      controlPlane: { reachable: !failed, since: unreachableSince, message: failed ? reason(failed) : null },
      telemetry: {
        reachable: freshness.status === "fulfilled",
        message: freshness.status === "rejected" ? reason(freshness) : null,
        collector: valueOr(collector, null),
        silentSince: valueOr(freshness, null)?.silentSince ?? null,
      },
    };
  };
}

function troubleOf({ services }: ServiceList): MeshStatus["trouble"] {
  const count = (wanted: string) => services.filter(({ health }) => health === wanted).length;
  const lost = services.filter(({ health, missingProxies = [] }) => health !== "failing" && missingProxies.length > 0);
  const degraded = count("degraded") + lost.filter(({ health }) => health !== "degraded").length;
  return { failing: count("failing"), degraded };
}

function gatewaysOf({ gateways }: GatewayList, now: number): MeshStatus["gateways"] {
  const tones = gateways.map((gateway) => gatewayTrouble(gateway, now).tone);
  const count = (wanted: string) => tones.filter((tone) => tone === wanted).length;
  return { bad: count("bad"), warn: count("warn") };
}

const alertsOf = (alerts: Alerts | undefined): MeshStatus["alerts"] =>
  alerts && {
    active: alerts.active.length,
    critical: alerts.active.filter(({ severity }) => severity === "Critical").length,
  };

const valueOr = <T, F>(part: PromiseSettledResult<T>, fallback: F): T | F =>
  part.status === "fulfilled" ? part.value : fallback;

const reason = (part: PromiseRejectedResult): string =>
  part.reason instanceof DashboardError || part.reason instanceof Error ? part.reason.message : String(part.reason);
