import { withoutZeroValues } from "../config/kinds/zero-values.ts";
import type { ConfigObject } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import { withEntries } from "../lib/lineage.ts";
import { keepMap, memo } from "../lib/memo.ts";
import { type AuthorizationIndex, indexAuthorizationPolicies } from "./authorization-policies.ts";
import { type DestinationRuleIndex, indexDestinationRules } from "./destination-rules.ts";
import { endpointsOf, indexWorkloads, type ServiceEndpoints } from "./endpoints.ts";
import { type EnvoyFilterIndex, indexEnvoyFilters } from "./envoy-filters.ts";
import { type Gateway, indexGateways } from "./gateways.ts";
import { type EndpointHealth, noHealth } from "./health-checks.ts";
import { type MeshSettings, meshSettingsOf } from "./mesh-settings.ts";
import { indexPeerAuthentications, type PeerAuthenticationIndex } from "./peer-authentications.ts";
import { indexServices, type ServiceRegistry } from "./registry.ts";
import { indexRequestAuthentications, type RequestAuthenticationIndex } from "./request-authentications.ts";
import { indexRuntimeLayers, type RuntimeLayerIndex } from "./runtime-layers.ts";
import { indexSidecars, type SidecarIndex } from "./sidecars.ts";
import { indexTelemetries, type TelemetryIndex } from "./telemetries.ts";
import { routingOf, type VirtualServiceIndex } from "./virtual-services.ts";

/**
 * All that the mesh is at one revision, resolved and immutable. Parts that two revisions share are the very same objects,
 * down to the single service, so that whoever derives something from a part can keep it by identity.
 */
export interface Mesh {
  readonly revision: number;
  readonly options: MeshOptions;
  /** All of them; what a hostname means to a client is asked of `visibleServices`. */
  readonly services: ServiceRegistry;
  /** By the service's key, in the same order. */
  readonly endpoints: ReadonlyMap<string, ServiceEndpoints>;
  readonly destinationRules: DestinationRuleIndex;
  readonly virtualServices: VirtualServiceIndex;
  readonly sidecars: SidecarIndex;
  readonly envoyFilters: EnvoyFilterIndex;
  readonly authorizationPolicies: AuthorizationIndex;
  readonly peerAuthentications: PeerAuthenticationIndex;
  readonly requestAuthentications: RequestAuthenticationIndex;
  readonly telemetries: TelemetryIndex;
  readonly settings: MeshSettings;
  readonly runtimeLayers: RuntimeLayerIndex;
  /** Oldest first. */
  readonly gateways: readonly Gateway[];
  /** What was found by probing, and belongs to no revision. */
  readonly health: EndpointHealth;
  /** What it was built from: by kind, then `<namespace>/<name>`. */
  readonly objects: ObjectsByKind;
}

export interface MeshOptions {
  /** The suffix of service hostnames. */
  domain: string;
  /** Where DestinationRules for everyone live. */
  rootNamespace: string;
  /** Of the SPIFFE ids. */
  trustDomain: string;
}

export type ObjectsByKind = ReadonlyMap<string, ReadonlyMap<string, ConfigObject>>;

export const defaultMeshOptions: MeshOptions = {
  domain: "cluster.local",
  rootNamespace: "istio-system",
  trustDomain: "cluster.local",
};

/** From scratch; `updateMesh` with the changes since another revision gives an equal mesh at the cost of what changed. */
export function buildMesh(objects: Iterable<ConfigObject>, revision: number, options: Partial<MeshOptions> = {}): Mesh {
  const byKind = new Map<string, Map<string, ConfigObject>>();
  for (const object of objects) {
    const kind = byKind.get(object.kind) ?? new Map<string, ConfigObject>();
    byKind.set(
      object.kind,
      kind.set(`${object.metadata.namespace}/${object.metadata.name}`, withoutZeroValues(object)),
    );
  }
  return derive(byKind, revision, { ...defaultMeshOptions, ...options });
}

/** The mesh after the changes; kinds that it does not read are carried along, and cost nothing. */
export function updateMesh(mesh: Mesh, changes: readonly ConfigChange[], revision: number): Mesh {
  const byKind = new Map<string, ReadonlyMap<string, ConfigObject>>(mesh.objects);
  for (const [kind, own] of Map.groupBy(changes, ({ key }) => key.kind)) {
    const entries = own.flatMap(({ type, key, after }): [string, ConfigObject | undefined][] => {
      const name = `${key.namespace}/${key.name}`;
      if (type === "DELETED") return [[name, undefined]];
      return after ? [[name, withoutZeroValues(after)]] : [];
    });
    byKind.set(kind, withEntries(byKind.get(kind) ?? none, entries));
  }
  const next = derive(byKind, revision, mesh.options);
  return {
    ...next,
    services: keepMap(mesh.services, next.services),
    endpoints: keepMap(mesh.endpoints, next.endpoints),
    health: mesh.health,
  };
}

const none: ReadonlyMap<string, ConfigObject> = new Map();

/** Each part is kept while the objects of the kinds it reads are the same. */
function derive(objects: ObjectsByKind, revision: number, options: MeshOptions): Mesh {
  const { domain } = options;
  const kind = (name: string) => objects.get(name) ?? none;
  const [service, entry, workload] = [kind("Service"), kind("ServiceEntry"), kind("WorkloadEntry")];
  const services = memo(service, "services", [entry, domain], () =>
    indexServices([...service.values(), ...entry.values()], domain),
  );
  const workloads = memo(workload, "workloads", [], () => indexWorkloads(workload.values()));
  const endpoints = memo(services, "endpoints", [workloads], () => {
    const all = [...services.values()].map((it) => [it.key, endpointsOf(it, workloads)] as const);
    return new Map(all);
  });
  const rule = kind("DestinationRule");
  const route = kind("VirtualService");
  const gateway = kind("Gateway");
  const sidecar = kind("Sidecar");
  const authorization = kind("AuthorizationPolicy");
  const peer = kind("PeerAuthentication");
  const request = kind("RequestAuthentication");
  const runtime = kind("RuntimeLayer");
  const patching = kind("EnvoyFilter");
  const telemetry = kind("Telemetry");
  return {
    revision,
    options,
    services,
    endpoints,
    destinationRules: memo(rule, "rules", [domain], () => indexDestinationRules(rule.values(), domain)),
    virtualServices: routingOf(route, domain),
    sidecars: memo(sidecar, "sidecars", [], () => indexSidecars(sidecar.values())),
    envoyFilters: memo(patching, "envoy-filters", [], () => indexEnvoyFilters(patching.values())),
    authorizationPolicies: memo(authorization, "authorization-policies", [], () =>
      indexAuthorizationPolicies(authorization.values()),
    ),
    peerAuthentications: memo(peer, "peer-authentications", [], () => indexPeerAuthentications(peer.values())),
    requestAuthentications: memo(request, "request-authentications", [], () =>
      indexRequestAuthentications(request.values()),
    ),
    telemetries: memo(telemetry, "telemetries", [], () => indexTelemetries(telemetry.values())),
    settings: meshSettingsOf(kind("MeshConfig").get("/default")),
    runtimeLayers: memo(runtime, "runtime-layers", [], () => indexRuntimeLayers(runtime.values())),
    gateways: memo(gateway, "gateways", [domain], () => indexGateways(gateway.values(), domain)),
    health: noHealth,
    objects,
  };
}
