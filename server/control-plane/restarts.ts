import type { KnownProxy } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { differences, proxyStart, startedWith } from "../model/proxy-configs.ts";

/** A proxy that is connected, with what its node says of itself. */
export interface RunningProxy {
  readonly proxy: MeshProxy;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Each with what of its start is otherwise by now, where something is: these take effect when it is started again. */
export function withRestarts(known: readonly KnownProxy[], running: readonly RunningProxy[], mesh: Mesh): KnownProxy[] {
  const byId = new Map(running.map((one) => [one.proxy.id, restartReasons(one, mesh)]));
  return known.map((proxy) => {
    const restart = byId.get(proxy.id) ?? [];
    return restart.length > 0 ? { ...proxy, restart } : proxy;
  });
}

/** Of a proxy that says what it was started with. Istio's agents have settings of their own there: of theirs only what is asked for counts. */
function restartReasons({ proxy, metadata }: RunningProxy, mesh: Mesh): string[] {
  if (metadata.PROXY_CONFIG === undefined) return [];
  const annotations = (metadata.ANNOTATIONS ?? {}) as Record<string, string>;
  const wanted = proxyStart(mesh, { namespace: proxy.namespace, labels: proxy.labels, annotations });
  const all = differences(startedWith(metadata), wanted);
  if (metadata.CLUSTER_ID === "limpid") return all;
  const asked = (name: string) =>
    name === "concurrency"
      ? wanted.concurrency !== undefined
      : name.slice("environmentVariables.".length) in wanted.environmentVariables;
  return all.filter(asked);
}
