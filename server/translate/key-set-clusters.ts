import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { memo } from "../lib/memo.ts";

import type { Mesh } from "../model/mesh.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import { configWay } from "./config-source.ts";
import { circuitBreakers } from "./connection-pool.ts";
import { seconds } from "./duration.ts";
import { socketAddress } from "./endpoints.ts";
import { outboundCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import { upstreamTls } from "./upstream-tls.ts";

export interface KeySetCluster {
  readonly name: string;
  /** One that is made for this alone; undefined: a service's, which is there anyway. */
  readonly cluster: Cluster | undefined;
}

/**
 * By which way a proxy fetches an issuer's keys: a service's cluster where the mesh knows the host, with TLS where the URI is `https` and no rule
 * begins it; else a cluster of its own, by DNS.
 */
export function keySetCluster(
  mesh: Mesh,
  clusters: ReadonlyMap<string, Cluster>,
  jwksUri: string,
  { systemCaPath }: TranslateOptions,
): KeySetCluster {
  const url = new URL(jwksUri);
  const isSecure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (isSecure ? 443 : 80);
  const known = clusters.get(outboundCluster(port, "", hostname));
  if (known && (!isSecure || known.transportSocket)) return { name: known.name, cluster: undefined };
  const name = `jwks|${port}|${isSecure ? "https" : "http"}|${hostname}`;
  const make = () => {
    const base = known ?? ownCluster(name, hostname, port);
    if (!isSecure) return create(ClusterSchema, { ...base, name });
    const target = {
      hostname: isIP(hostname) !== 0 ? "" : hostname,
      port,
      subset: "",
      subjectAltNames: [hostname],
      systemCaPath,
      trustDomains: trustDomainsOf(mesh),
    };
    const transportSocket = upstreamTls(
      { mode: "SIMPLE" },
      target,
      configWay({ delta: true, xdsCluster: undefined }).secret,
    );
    return create(ClusterSchema, {
      ...base,
      name,
      transportSocketMatches: [],
      ...(transportSocket && { transportSocket: create(TransportSocketSchema, transportSocket) }),
    });
  };
  const cluster = memo(known ?? owners, `${name} ${systemCaPath}`, [], make);
  return { name, cluster };
}

const owners = {};

function ownCluster(name: string, hostname: string, port: number): Cluster {
  const isAddress = isIP(hostname) !== 0;
  return create(ClusterSchema, {
    clusterDiscoveryType: {
      case: "type",
      value: isAddress ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.STRICT_DNS,
    },
    connectTimeout: seconds(10),
    circuitBreakers: circuitBreakers({}),
    ...(!isAddress && {
      dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
      dnsRefreshRate: seconds(60),
      respectDnsTtl: true,
    }),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: socketAddress(hostname, port) } } }],
        },
      ],
    },
  });
}
