import { create } from "@bufbuild/protobuf";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { type CompiledVirtualHost, RouteTable } from "../sidecar/route/route-table.ts";

export interface FoundHost {
  host: VirtualHost;
  /** By which of its domains. */
  domain: string;
}

/** The virtual host that the data plane's own table finds: exact, then the longest suffix, then the longest prefix, then `*`. */
export function findVirtualHost(
  config: RouteConfiguration,
  hosts: readonly VirtualHost[],
  authority: string,
): FoundHost | undefined {
  const { name, ignorePortInHostMatching } = config;
  const table = new RouteTable(create(RouteConfigurationSchema, { name, ignorePortInHostMatching }), () => new Map());
  const places = new Map<string, FoundHost>();
  for (const host of hosts) {
    for (const domain of host.domains) {
      const key = domain.toLowerCase();
      // Of a domain that stands twice, which Envoy refuses, the first counts.
      if (places.has(key)) continue;
      places.set(key, { host, domain });
      table.put(key, { ...nothing, name: key, domains: [key] });
    }
  }
  const found = table.find(authority);
  return found && places.get(found.name);
}

const nothing: Omit<CompiledVirtualHost, "name" | "domains"> = {
  routes: [],
  rateLimits: [],
  metadata: undefined,
  requestOps: [],
  responseOps: [],
  perFilter: new Map(),
  requireTls: false,
  attemptCount: false,
  attemptCountInResponse: false,
};
