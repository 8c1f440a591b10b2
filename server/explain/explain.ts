import type { ConfigObject } from "../config/object.ts";
import type {
  ConfigRule,
  ExplainedCluster,
  ExplainedDestination,
  ExplainedSide,
  Explanation,
  Origin,
} from "../contract/index.ts";
import { defaultMeshOptions } from "../model/mesh.ts";
import { decidedMode, indexPeerAuthentications } from "../model/peer-authentications.ts";
import { hostPort } from "../sidecar/text/host-port.ts";
import type { JudgedCluster } from "./clusters.ts";
import type { Holdings } from "./holdings.ts";
import { inboundListener, outboundListener } from "./listeners.ts";
import { type ExplainRequest, forwardedRequest, sameAddress } from "./request.ts";
import { type Walk, walk } from "./walk.ts";

/** A proxy, by what the control plane knows of it. */
export type ExplainedProxy = ExplainedSide["proxy"] & {
  address: string;
  /** Its SPIFFE id; "": it has none to show. */
  identity: string;
};

export interface HeldByProxy {
  holdings: Holdings;
  /** Of its workload. */
  labels: Readonly<Record<string, string>>;
}

/** What an explanation is made from. */
export interface ExplainSources {
  proxies: readonly ExplainedProxy[];
  /** Undefined: the proxy is not connected. */
  held(id: string): Promise<HeldByProxy | undefined>;
  peerAuthentications: readonly ConfigObject[];
}

/** Destinations that are looked into: one endpoint of each cluster is enough to say what its service does. */
const mostDestinations = 8;

/** What happens to a request of a workload, at its own proxy and at those that it reaches. */
export async function explain(
  source: { proxy: ExplainedProxy; held: HeldByProxy },
  request: ExplainRequest,
  sources: ExplainSources,
): Promise<Pick<Explanation, "source" | "destinations">> {
  const { proxy, held } = source;
  const out = walk(held.holdings, outboundListener(held.holdings, request), request);
  const isSent = out.end.kind === "forwarded";
  const reached = isSent ? out.clusters.slice(0, mostDestinations) : [];
  const copied = isSent ? out.mirrors.slice(0, mostDestinations - reached.length) : [];
  const destinations = await Promise.all([
    ...reached.map((cluster) => destinationOf(cluster, false, out, proxy, request, sources)),
    ...copied.map((cluster) => destinationOf(cluster, true, out, proxy, mirrored(request, out), sources)),
  ]);
  return {
    source: sideOf(proxy, "outbound", out),
    destinations: destinations.filter((one) => one !== undefined),
  };
}

async function destinationOf(
  cluster: JudgedCluster,
  isMirror: boolean,
  out: Walk,
  source: ExplainedProxy,
  request: ExplainRequest,
  sources: ExplainSources,
): Promise<ExplainedDestination | undefined> {
  for (const endpoint of cluster.callable) {
    const { address, port, tls, mode } = endpoint;
    for (const proxy of sources.proxies.filter((it) => sameAddress(it.address, address))) {
      const held = await sources.held(proxy.id);
      const listener = held && inboundListener(held.holdings, { address, port });
      if (!listener) continue;
      const identity = mode === "mutual" ? source.identity : "";
      const peer = { tls, identity, remoteAddress: source.address, host: address, port };
      const inward = walk(
        held.holdings,
        listener,
        forwardedRequest(request, { ...out.forwarded, ...(isMirror && { authority: null }), peer }),
      );
      const { mode: takes, by } = decidedMode(
        indexPeerAuthentications(sources.peerAuthentications),
        defaultMeshOptions.rootNamespace,
        { namespace: proxy.namespace, labels: held.labels },
        port,
      );
      const origin = by && { kind: "PeerAuthentication", namespace: by.namespace, name: by.name, rule: by.field };
      return {
        cluster: cluster.name,
        mirrored: isMirror,
        endpoint: hostPort(address, port),
        tls: mode,
        identity,
        peerAuthentication: { mode: takes, origin: placed(origin ?? null) },
        side: sideOf(proxy, "inbound", inward),
      };
    }
  }
  return undefined;
}

function sideOf(
  { address: _, identity: __, ...proxy }: ExplainedProxy,
  direction: ExplainedSide["direction"],
  { forwarded: ___, ...walked }: Walk,
): ExplainedSide {
  return {
    ...walked,
    proxy,
    direction,
    chains: walked.chains.map((chain) => ({ ...chain, origin: placed(chain.origin) })),
    routes: walked.routes.map((route) => ({ ...route, origin: placed(route.origin) })),
    clusters: walked.clusters.map(shownCluster),
    mirrors: walked.mirrors.map(shownCluster),
  };
}

const shownCluster = ({ callable: _, dynamic: __, ...cluster }: JudgedCluster): ExplainedCluster => ({
  ...cluster,
  origin: placed(cluster.origin),
});

/**
 * A copy says so in its host. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-requestmirrorpolicy
 */
function mirrored(request: ExplainRequest, { forwarded }: Walk): ExplainRequest {
  const authority = forwarded.authority ?? request.authority;
  return { ...request, authority: authority.replace(/(:\d+)?$/, "-shadow$1") };
}

/** Lines are looked up when it is known which objects are meant: {@link file://./lines.ts}. */
const placed = (origin: ConfigRule | null): Origin | null => origin && { ...origin, line: null };
