import { memo } from "../lib/memo.ts";
import { matchesLabels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { olderFirst, type Service } from "../model/service.ts";
import type { ServiceSpec } from "../model/specs.ts";

/** A Service that doesn't want this: https://istio.io/latest/docs/reference/config/labels/ */
const untranslated = "experimental.istio.io/disable-gateway-port-translation";

/**
 * Where a Gateway's port is listened on: a Service before the proxy, with that port, sends its calls to the target port (Istio's
 * `resolvePorts`); of several the oldest counts, and without one it is the port itself.
 */
export function gatewayTargetPort(mesh: Mesh, proxy: MeshProxy, number: number): number {
  for (const service of servicesBefore(mesh, proxy)) {
    const port = service.ports.find((it) => it.port === number);
    if (!port) continue;
    const own = mesh.endpoints.get(service.key)?.byPort.get(number) ?? [];
    const endpoint = own.find(({ address }) => address === proxy.ip);
    if (endpoint) return endpoint.port;
    return typeof port.targetPort === "number" ? port.targetPort : number;
  }
  return number;
}

/** Those of its own namespace that select it, oldest first. */
const servicesBefore = (mesh: Mesh, proxy: MeshProxy): readonly Service[] =>
  memo(mesh.services, `before ${proxy.namespace} ${JSON.stringify(proxy.labels)}`, [], () =>
    [...mesh.services.values()]
      .filter(({ kind, namespace, source }) => {
        const { selector = {} } = source.spec as ServiceSpec;
        const isItsOwn = kind === "Service" && namespace === proxy.namespace && Object.keys(selector).length > 0;
        return isItsOwn && matchesLabels(selector, proxy.labels) && !(untranslated in (source.metadata.labels ?? {}));
      })
      .sort((a, b) => olderFirst(a.source, b.source)),
  );
