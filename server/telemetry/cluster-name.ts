/** A cluster name in Istio's form: `outbound|9080|v2|reviews.default.svc.cluster.local`. */
export interface ClusterName {
  direction: "outbound" | "inbound";
  port: number;
  subset: string;
  host: string;
}

/** Undefined for any other name, such as `BlackHoleCluster` or a static cluster. */
export function parseClusterName(name: string): ClusterName | undefined {
  const [direction, port, subset, host, ...rest] = name.split("|");
  if ((direction !== "outbound" && direction !== "inbound") || host === undefined || rest.length > 0) return undefined;
  return { direction, port: Number(port), subset: subset ?? "", host };
}

/** `reviews.default.svc.cluster.local` → its name and namespace; undefined for a host outside the mesh's DNS. */
export function parseServiceHost(host: string): { name: string; namespace: string } | undefined {
  const [name, namespace, svc] = host.split(".");
  return name && namespace && svc === "svc" ? { name, namespace } : undefined;
}
