import type { ConfigChange } from "../config/store.ts";
import type { Metrics } from "./metrics.ts";

/** What Istio's dashboards ask of its control plane, counted by this one. https://istio.io/latest/docs/reference/commands/pilot-discovery/#metrics */
export interface IstiodMetrics {
  /** A response with so many bytes of resources. */
  pushed(typeUrl: string, bytes: number): void;
  refused(typeUrl: string): void;
  failed(): void;
  /** Resources of one proxy were made and encoded. */
  translated(ms: number): void;
  /** From a change's commit to the last acknowledgement. */
  converged(ms: number): void;
  /** `config`: by commits; `endpoint`: by what was found of endpoints. */
  triggered(type: "config" | "endpoint"): void;
  changed(changes: readonly ConfigChange[]): void;
  /** An object that somebody wanted to write was right, or was refused. */
  validated(kind: ValidatedKind, valid: boolean): void;
}

/** As the client names it. */
export interface ValidatedKind {
  group: string;
  version: string;
  plural: string;
}

const seconds = [0.01, 0.1, 1, 3, 5, 10, 20, 30];
const convergenceSeconds = [0.1, 0.5, 1, 3, 5, 10, 20, 30];
const bytesBounds = [1, 1e4, 1e6, 4e6, 1e7, 4e7];
/** Istio's registry is made of them; the other kinds are its configuration. */
const registryKinds: Readonly<Record<string, string>> = { Service: "Services", WorkloadEntry: "Workloads" };

export function istiodMetrics(metrics: Metrics, options: { version: string; connected(): number }): IstiodMetrics {
  const pushes = metrics.counter("pilot_xds_pushes", "Responses sent to proxies, by type.");
  const rejects = metrics.counter("pilot_total_xds_rejects", "Responses that proxies refused, by type.");
  const internal = metrics.counter("pilot_total_xds_internal_errors", "Changes that could not be translated.");
  const configEvents = metrics.counter("pilot_k8s_cfg_events", "Changes of configuration, by kind.");
  const registryEvents = metrics.counter("pilot_k8s_reg_events", "Changes of the registry, by kind.");
  const triggers = metrics.counter("pilot_push_triggers", "Pushes, by what began them.");
  const pushTime = metrics.histogram("pilot_xds_push_time", "Time to make what a proxy gets, in seconds.", seconds);
  const size = metrics.histogram("pilot_xds_config_size_bytes", "Bytes of resources in a response.", bytesBounds);
  const convergence = metrics.histogram(
    "pilot_proxy_convergence_time",
    "From a change to the last acknowledgement, in seconds.",
    convergenceSeconds,
  );
  const passed = metrics.counter("galley_validation_passed", "Objects that were found valid, by kind.");
  const failed = metrics.counter("galley_validation_failed", "Objects that were refused as invalid, by kind.");
  metrics.gauge("pilot_xds", "Proxies that are connected.", options.connected);
  metrics.counter("istio_build", "The version of a component.")(1, { component: "pilot", tag: options.version });
  internal(0);
  for (const type of ["lds", "rds", "cds", "eds"]) rejects(0, { type });
  return {
    pushed(typeUrl, bytes) {
      pushes(1, { type: shortType(typeUrl) });
      size(bytes, { type: shortType(typeUrl) });
    },
    refused: (typeUrl) => rejects(1, { type: shortType(typeUrl) }),
    failed: () => internal(),
    translated: (ms) => pushTime(ms / 1000),
    converged: (ms) => convergence(ms / 1000),
    triggered: (type) => triggers(1, { type }),
    validated({ group, version, plural }, valid) {
      const labels = { group, version, resource: plural };
      passed(valid ? 1 : 0, labels);
      failed(valid ? 0 : 1, { ...labels, reason: "invalid_resource" });
    },
    changed(changes) {
      for (const { key, type } of changes) {
        const registry = registryKinds[key.kind];
        if (registry === undefined) configEvents(1, { type: key.kind, event: events[type] });
        else registryEvents(1, { type: registry, event: events[type] });
      }
    },
  };
}

const events = { ADDED: "add", MODIFIED: "update", DELETED: "delete" } as const;

const shortTypes: Readonly<Record<string, string>> = {
  Listener: "lds",
  RouteConfiguration: "rds",
  VirtualHost: "vhds",
  Cluster: "cds",
  ClusterLoadAssignment: "eds",
  Secret: "sds",
  TypedExtensionConfig: "ecds",
  Runtime: "rtds",
};

function shortType(typeUrl: string): string {
  const name = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
  return shortTypes[name] ?? name;
}
