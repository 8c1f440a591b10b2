import { readFileSync } from "node:fs";
import { toJson } from "@bufbuild/protobuf";
import { parse } from "yaml";
import { parseDocuments } from "../../config/kinds/index.ts";
import type { ConfigObject } from "../../config/object.ts";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { RuntimeSchema } from "../../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { type ProxyNode, parseProxy } from "../../model/parse-proxy.ts";
import type { MeshProxy } from "../../model/proxy.ts";
import { registry } from "../../proto/registry.ts";
import type { ProxyResources } from "../resources.ts";

/** What a `.in.yaml` holds: first the proxy's node and what of the answer to show, then mesh resources. */
export interface Case {
  proxy: MeshProxy;
  show: (keyof ProxyResources)[];
  objects: ConfigObject[];
}

export function loadCase(path: string): Case {
  const text = readFileSync(path, "utf8");
  const cut = text.indexOf("\n---\n");
  const head = parse(text.slice(0, cut)) as { node: Partial<ProxyNode>; show?: (keyof ProxyResources)[] };
  return {
    proxy: proxyOf(head.node),
    show: head.show ?? ["listeners", "routes", "virtualHosts", "clusters", "endpoints"],
    objects: objectsOf(text.slice(cut + 5)),
  };
}

export function objectsOf(yaml: string): ConfigObject[] {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok)
    throw new Error(parsed.errors.map((error) => `${error.line}: ${error.path} ${error.message}`).join("\n"));
  return parsed.value;
}

export function proxyOf(node: Partial<ProxyNode>): MeshProxy {
  const parsed = parseProxy({ id: "", cluster: "", metadata: {}, userAgentName: "envoy", delta: true, ...node });
  if (!parsed.ok) throw new Error(parsed.errors.map((error) => `${error.path} ${error.message}`).join("\n"));
  return parsed.value;
}

/** What stands inside `Any`s. */

/** As plain JSON, a list per type, in the order of the maps. */
export const resourcesToJson = (resources: ProxyResources) => ({
  listeners: [...resources.listeners.values()].map((it) => toJson(ListenerSchema, it, { registry })),
  routes: [...resources.routes.values()].map((it) => toJson(RouteConfigurationSchema, it, { registry })),
  virtualHosts: [...resources.virtualHosts.values()].map((it) => toJson(VirtualHostSchema, it, { registry })),
  clusters: [...resources.clusters.values()].map((it) => toJson(ClusterSchema, it, { registry })),
  endpoints: [...resources.endpoints.values()].map((it) => toJson(ClusterLoadAssignmentSchema, it, { registry })),
  extensionConfigs: [...resources.extensionConfigs.values()].map((it) =>
    toJson(TypedExtensionConfigSchema, it, { registry }),
  ),
  runtimes: [...resources.runtimes.values()].map((it) => toJson(RuntimeSchema, it)),
});
