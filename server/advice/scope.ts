import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { ConfigObject } from "../config/object.ts";
import type { ScopeAdvice, ScopeSize } from "../contract/index.ts";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { writeYaml } from "../lib/yaml/write-yaml.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { translate } from "../translate/translate.ts";

export interface CalledHost {
  readonly host: string;
  readonly calls: number;
}

export type ScopeHosts = Pick<ScopeAdvice, "hosts" | "unknown">;

/** Who is called, with what proxies call by themselves: providers of the mesh config, and the root namespace, as Istio's own advice has it. */
export function scopeHosts(mesh: Mesh, called: readonly CalledHost[]): ScopeHosts {
  const services = [...mesh.services.values()];
  const hosts = new Map<string, ScopeHosts["hosts"][number]>();
  const unknown: CalledHost[] = [];
  const add = (host: string, why: "called" | "needed", calls: number, external: boolean) => {
    const before = hosts.get(host);
    hosts.set(host, before ? { ...before, calls: before.calls + calls } : { host, why, calls, external });
  };
  for (const { host, calls } of called) {
    const own = services.filter(({ hostname }) => hostname === host);
    for (const { namespace, hostname } of own) add(`${namespace}/${hostname}`, "called", calls, !isInternal(hostname));
    if (own.length === 0) unknown.push({ host, calls });
  }
  for (const host of providerHosts(mesh))
    for (const { namespace, hostname } of services.filter((it) => it.hostname === host))
      if (!hosts.has(`${namespace}/${hostname}`)) add(`${namespace}/${hostname}`, "needed", 0, !isInternal(hostname));
  add(`${mesh.options.rootNamespace}/*`, "needed", 0, false);
  return { hosts: [...hosts.values()].sort((a, b) => b.calls - a.calls || (a.host < b.host ? -1 : 1)), unknown };
}

const isInternal = (hostname: string): boolean => /\.svc\./.test(hostname);

/** Whom the mesh config names: authorizers and collectors, by any provider's field `service`; with and without a namespace before it. */
function providerHosts(mesh: Mesh): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "service" && typeof inner === "string") found.add(inner.slice(inner.indexOf("/") + 1));
      else visit(inner);
    }
  };
  for (const object of mesh.objects.get("MeshConfig")?.values() ?? []) visit(object.spec);
  return [...found];
}

/** `labels`: of the workload; left out, it is for the namespace. */
export function sidecarObject(
  target: { namespace: string; name: string; labels?: Readonly<Record<string, string>> },
  { hosts }: ScopeHosts,
): ConfigObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name: target.name, namespace: target.namespace },
    spec: {
      ...(target.labels && { workloadSelector: { labels: { ...target.labels } } }),
      egress: [{ hosts: hosts.map(({ host }) => host) }],
    },
  };
}

export const yamlOf = ({ apiVersion, kind, metadata, spec }: ConfigObject): string =>
  writeYaml({ apiVersion, kind, metadata, spec });

/** Clusters and bytes of everything that proxies are sent, as the translation makes it. */
export function sizeOf(mesh: Mesh, proxies: readonly MeshProxy[]): ScopeSize {
  const total = { clusters: 0, bytes: 0 };
  for (const proxy of proxies) {
    const { clusters, endpoints, listeners, routes, virtualHosts } = translate(mesh, proxy);
    total.clusters += clusters.size;
    total.bytes +=
      bytesOf(ClusterSchema, clusters) +
      bytesOf(ClusterLoadAssignmentSchema, endpoints) +
      bytesOf(ListenerSchema, listeners) +
      bytesOf(RouteConfigurationSchema, routes) +
      bytesOf(VirtualHostSchema, virtualHosts);
  }
  return total;
}

function bytesOf<D extends DescMessage>(schema: D, messages: ReadonlyMap<string, MessageShape<D>>): number {
  let bytes = 0;
  for (const message of messages.values()) bytes += toBinary(schema, message).length;
  return bytes;
}
