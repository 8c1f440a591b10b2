import type { MeshService, MissingProxy, ProxySync } from "../contract/index.ts";

/** The proxies before a service's workloads that should be connected and are not. */
export function missingProxies(
  { namespace, versions }: Pick<MeshService, "namespace" | "versions">,
  proxies: readonly ProxySync[],
): MissingProxy[] {
  const workloads = new Set(versions.flatMap((version) => version.workloads));
  const connected = new Set(
    proxies.filter((proxy) => proxy.connected && proxy.namespace === namespace).map(({ name }) => name),
  );
  return (
    proxies
      .filter((proxy) => !proxy.connected && proxy.namespace === namespace && workloads.has(proxy.name))
      // A workload that has another proxy by now was moved.
      .filter(({ name }) => !connected.has(name))
      .map(({ id, name, disconnectedAt, heldRevision }) => ({ id, name, disconnectedAt, heldRevision }))
  );
}
