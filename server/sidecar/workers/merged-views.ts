import type { ClusterView, HostView, ListenerView } from "../admin/views.ts";

/** One view of clusters that several processes call: counts of a host are added, what is said of it is what any of them says. */
export function mergeClusters(views: readonly (readonly ClusterView[])[]): ClusterView[] {
  const clusters = new Map<string, ClusterView>();
  for (const cluster of views.flat()) {
    const known = clusters.get(cluster.name);
    clusters.set(
      cluster.name,
      known === undefined ? cluster : { ...known, hosts: mergeHosts(known.hosts, cluster.hosts) },
    );
  }
  return [...clusters.values()];
}

/** Each once: they share their sockets. */
export const mergeListeners = (views: readonly (readonly ListenerView[])[]): ListenerView[] => [
  ...new Map(views.flat().map((listener) => [listener.name, listener])).values(),
];

function mergeHosts(one: readonly HostView[], other: readonly HostView[]): HostView[] {
  const hosts = new Map(one.map((host) => [keyOf(host), host]));
  for (const host of other) {
    const known = hosts.get(keyOf(host));
    hosts.set(keyOf(host), known === undefined ? host : sum(known, host));
  }
  return [...hosts.values()];
}

const keyOf = ({ address, port, hostname }: HostView): string => `${address} ${port} ${hostname}`;

const sum = (a: HostView, b: HostView): HostView => ({
  ...a,
  healthFlags: a.healthFlags | b.healthFlags,
  connections: a.connections + b.connections,
  connectFailures: a.connectFailures + b.connectFailures,
  connectionsTotal: a.connectionsTotal + b.connectionsTotal,
  requestsActive: a.requestsActive + b.requestsActive,
  requestsPending: a.requestsPending + b.requestsPending,
  requestsTotal: a.requestsTotal + b.requestsTotal,
  requestsSuccess: a.requestsSuccess + b.requestsSuccess,
  requestsError: a.requestsError + b.requestsError,
});
