import type { ProxyIdentity, ProxySync, WorkloadView } from "../contract/index.ts";
import { parseProxy } from "../model/parse-proxy.ts";
import type { MeshProxy } from "../model/proxy.ts";

export interface AdvisedWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly app: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isGateway: boolean;
  readonly proxy: MeshProxy;
  /** Somebody has seen a proxy of it, or expects one. */
  readonly hasProxy: boolean;
  readonly connected: boolean;
}

/** Whether it takes mutual TLS. */
export const proxyIdentityOf = (it: AdvisedWorkload | undefined): ProxyIdentity =>
  !it?.hasProxy ? "none" : it.proxy.identity === undefined ? "uncertified" : "certified";

/** Workloads as translation knows them. What their nodes say beside names, addresses and labels (ports of their own) is not known here. */
export function advisedWorkloads(
  workloads: readonly WorkloadView[],
  proxies: readonly Pick<
    ProxySync,
    "name" | "namespace" | "address" | "id" | "kind" | "identity" | "connected" | "app" | "version" | "implementation"
  >[],
): AdvisedWorkload[] {
  const own = new Map(proxies.map((it) => [`${it.namespace}/${it.name}`, it]));
  const registered = workloads.flatMap(({ namespace, name, app, labels, endpoints, serviceAccount }) => {
    const found = own.get(`${namespace}/${name}`);
    const ip = found?.address || (endpoints[0]?.address ?? "127.0.0.1");
    const id = found?.id ?? `sidecar~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`;
    const proxy = proxyOf(id, { namespace, name, labels, serviceAccount }, found?.identity ?? undefined);
    const connected = found?.connected ?? false;
    return proxy
      ? [{ namespace, name, app, labels, isGateway: false, proxy, hasProxy: found !== undefined, connected }]
      : [];
  });
  const gateways = proxies
    .filter(({ kind }) => kind === "gateway")
    .flatMap(({ namespace, name, app, id, identity, connected }) => {
      const labels = { app };
      const proxy = proxyOf(id, { namespace, name, labels, serviceAccount: "" }, identity ?? undefined);
      return proxy ? [{ namespace, name, app, labels, isGateway: true, proxy, hasProxy: true, connected }] : [];
    });
  return [...registered, ...gateways];
}

function proxyOf(
  id: string,
  it: { namespace: string; name: string; labels: Readonly<Record<string, string>>; serviceAccount: string },
  identity: string | undefined,
): MeshProxy | undefined {
  const metadata = {
    NAMESPACE: it.namespace,
    WORKLOAD_NAME: it.name,
    LABELS: it.labels,
    SERVICE_ACCOUNT: it.serviceAccount || undefined,
    INTERCEPTION_MODE: "NONE",
  };
  const node = { id, cluster: "", metadata, userAgentName: "", delta: true, ...(identity && { identity }) };
  const parsed = parseProxy(node);
  return parsed.ok ? parsed.value : undefined;
}

/** `<namespace>/<workload>` → SPIFFE id: what its proxy came with, else what its account gives it. */
export function identitiesOf(
  workloads: readonly WorkloadView[],
  proxies: readonly Pick<ProxySync, "name" | "namespace" | "identity">[],
  trustDomain: string,
): Map<string, string> {
  const accounts = workloads.flatMap(({ namespace, name, serviceAccount }) =>
    serviceAccount === ""
      ? []
      : [[`${namespace}/${name}`, `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`] as const],
  );
  const shown = proxies.flatMap(({ namespace, name, identity }) =>
    identity === null ? [] : [[`${namespace}/${name}`, identity] as const],
  );
  return new Map([...accounts, ...shown]);
}
