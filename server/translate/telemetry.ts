import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { type ExtensionProvider, ownProvider } from "../model/specs.ts";
import { telemetriesFor } from "../model/telemetries.ts";
import {
  accessLogRules,
  type MetricRule,
  type Mode,
  metricRules,
  type TracingRule,
  tracingRule,
} from "../model/telemetry-rules.ts";
import type { LogDirection } from "./access-log.ts";
import { type ProviderCluster, providerCluster } from "./provider-clusters.ts";
import type { Scope } from "./scope.ts";
import { workloadOf } from "./targets.ts";

/** A log beside the mesh's own. */
export interface LogSink {
  readonly provider: ExtensionProvider;
  /** Undefined: it is written on the proxy's own machine. */
  readonly to: ProviderCluster | undefined;
  readonly filter: string | undefined;
}

export interface TracerSettings extends Omit<TracingRule, "provider" | "disabled"> {
  /** Undefined: the mesh's own collector. */
  readonly provider: ExtensionProvider | undefined;
  readonly to: ProviderCluster | undefined;
}

/** What Telemetry wants of calls in one direction; unset: what an installation has without one. */
export interface ModeTelemetry {
  readonly logs?: readonly LogSink[];
  readonly tracing?: TracerSettings | "off";
  readonly metrics?: readonly MetricRule[];
}

export interface ProxyTelemetry {
  readonly meshId: string;
  readonly client: ModeTelemetry;
  readonly server: ModeTelemetry;
}

/** Undefined: nobody says anything. */
export function telemetryOf(
  mesh: Mesh,
  proxy: MeshProxy,
  scope: Scope,
  clusters: () => ReadonlyMap<string, Cluster>,
): ProxyTelemetry | undefined {
  const { settings, telemetries } = mesh;
  if (telemetries.size === 0 && Object.keys(settings.defaultProviders).length === 0) return undefined;
  const found = telemetriesFor(telemetries, mesh.options.rootNamespace, workloadOf(mesh, proxy));
  const reach = (at: { service: string; port: number }) => providerCluster(mesh, scope, clusters(), at);
  const made = (mode: Mode): ModeTelemetry => {
    const logs = accessLogRules(found, settings, mode);
    const tracing = tracingRule(found, settings, mode);
    const metrics = metricRules(found, settings, mode, prometheusOf(mesh));
    return {
      ...(logs && {
        logs: logs.flatMap(({ provider, filter }) => {
          const known = settings.telemetryProviders.get(provider);
          return known ? logSink(known, filter, proxy, reach) : [];
        }),
      }),
      ...(tracing && { tracing: tracerSettings(tracing, mesh, proxy, reach) }),
      ...(metrics.length > 0 && { metrics }),
    };
  };
  const telemetry = { meshId: mesh.options.trustDomain, client: made("CLIENT"), server: made("SERVER") };
  return Object.keys({ ...telemetry.client, ...telemetry.server }).length === 0 ? undefined : telemetry;
}

const prometheusOf = ({ settings: { telemetryProviders } }: Mesh): ReadonlySet<string> =>
  memo(telemetryProviders, "prometheus", [], () => {
    const named = [...telemetryProviders].filter(([, { prometheus }]) => prometheus !== undefined);
    return new Set(named.map(([name]) => name));
  });

type Reach = (at: { service: string; port: number }) => ProviderCluster | undefined;

/** None where the provider is for something else, or can't be reached. */
function logSink(
  provider: ExtensionProvider,
  filter: string | undefined,
  proxy: MeshProxy,
  reach: Reach,
): LogSink | [] {
  if (provider.envoyFileAccessLog) return { provider, to: undefined, filter };
  const at = provider.envoyHttpAls ?? provider.envoyTcpAls ?? provider.envoyOtelAls;
  const to = at && reach(at);
  return to ? { provider: proxy.bundled ? withoutFilterState(provider) : provider, to, filter } : [];
}

/** What the bundled sidecar has not. */
export const isForEnvoys = ({ zipkin, opentelemetry }: ExtensionProvider): boolean =>
  zipkin !== undefined || opentelemetry?.http !== undefined;

/** There is none in the bundled sidecar. */
function withoutFilterState({ envoyHttpAls, envoyTcpAls, ...rest }: ExtensionProvider): ExtensionProvider {
  const of = <T extends { filterStateObjectsToLog?: string[] | undefined }>({
    filterStateObjectsToLog: _,
    ...log
  }: T) => log;
  return {
    ...rest,
    ...(envoyHttpAls && { envoyHttpAls: of(envoyHttpAls) }),
    ...(envoyTcpAls && { envoyTcpAls: of(envoyTcpAls) }),
  };
}

/** A provider that can't be reached traces nothing, as in Istio; one that the bundled sidecar has not leaves its spans with the mesh's own collector. */
function tracerSettings(
  { provider: name, disabled, ...rest }: TracingRule,
  { settings }: Mesh,
  proxy: MeshProxy,
  reach: Reach,
): TracerSettings | "off" {
  if (disabled) return "off";
  const provider = settings.telemetryProviders.get(name);
  if (provider === undefined && name === ownProvider) return { ...rest, provider: undefined, to: undefined };
  const at = provider?.zipkin ?? provider?.opentelemetry;
  if (provider === undefined || at === undefined) return "off";
  if (proxy.bundled && isForEnvoys(provider)) return { ...rest, provider: undefined, to: undefined };
  const to = reach(at);
  return to ? { ...rest, provider, to } : "off";
}

/** A gateway makes calls, as Istio sees it. */
export const modeOf = (
  { telemetry }: { telemetry?: ProxyTelemetry },
  direction: LogDirection,
): ModeTelemetry | undefined => (direction === "inbound" ? telemetry?.server : telemetry?.client);
