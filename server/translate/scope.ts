import { type DestinationRule, findDestinationRule, selectionOf } from "../model/destination-rules.ts";
import type { Labels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { type VisibleServices, visibleServices } from "../model/registry.ts";
import { findSidecar, imported, type Sidecar } from "../model/sidecars.ts";
import type { VirtualService } from "../model/virtual-service.ts";
import { sourceLabelKeys, type VirtualServiceIndex } from "../model/virtual-services.ts";
import { type ConfigWay, configWay } from "./config-source.ts";

/** Whose view of the mesh is translated. Proxies with equal views share every resource made for it. */
export interface Scope {
  readonly namespace: string;
  /** The DNS domain by which short names are told: `default.svc.cluster.local`. */
  readonly domain: string;
  readonly labels: Labels;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  /** Without a certificate of its own there is no mutual TLS. */
  readonly certified: boolean;
  readonly isGateway: boolean;
  readonly bundled: boolean;
  /** Faults that end by themselves do so when the control plane is gone, too. */
  readonly faultLeases: boolean;
  /** Connections are brought to it by iptables, and it knows where they were going. */
  readonly intercepted: boolean;
  /** How the resources that it is sent refer to others. */
  readonly way: ConfigWay;
  /** What hostnames mean here. */
  readonly services: VisibleServices;
  /** What rules them. */
  readonly virtualServices: VirtualServiceIndex;
  /** The DestinationRules that select it by its labels; empty: none. */
  readonly selection: string;
  /** The Sidecar resource that narrows all this. */
  readonly sidecar: Sidecar | undefined;
}

export function scopeOf(mesh: Mesh, proxy: MeshProxy): Scope {
  // Gateways see everything. https://istio.io/latest/docs/reference/config/networking/sidecar/
  const sidecar = proxy.type === "router" ? undefined : findSidecar(mesh.sidecars, mesh.options.rootNamespace, proxy);
  const { namespace } = proxy;
  const seen = sidecar
    ? imported(mesh.services, mesh.virtualServices, sidecar, namespace)
    : { services: visibleServices(mesh.services, namespace), virtualServices: mesh.virtualServices };
  return {
    namespace,
    domain: proxy.domain,
    labels: proxy.labels,
    locality: proxy.locality,
    certified: proxy.identity !== undefined,
    isGateway: proxy.type === "router",
    bundled: proxy.bundled,
    faultLeases: proxy.faultLeases,
    intercepted: proxy.interception !== "NONE",
    way: configWay(proxy),
    ...seen,
    selection: selectionOf(mesh.destinationRules, namespace, proxy.labels),
    sidecar,
  };
}

/** Of the labels only those count that some rule tells apart. */
export const scopeKey = (scope: Scope, labelKeys: readonly string[]): string =>
  JSON.stringify([
    scope.namespace,
    scope.domain,
    labelKeys.map((key) => scope.labels[key] ?? null),
    ...(scope.sidecar ? [scope.sidecar.key] : []),
    ...(scope.faultLeases ? ["leases"] : []),
    ...(scope.selection ? [{ selected: scope.selection }] : []),
  ]);

export const routeScopeKey = (scope: Scope, virtualService: VirtualService): string =>
  scopeKey(scope, sourceLabelKeys(virtualService));

export function ruleFor(mesh: Mesh, host: string, scope: Scope): DestinationRule | undefined {
  const namespace = scope.services.get(host)?.namespace;
  const { rootNamespace } = mesh.options;
  return findDestinationRule(mesh.destinationRules, host, namespace, scope.namespace, rootNamespace, scope.labels);
}
