import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Runtime, RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { memo } from "../lib/memo.ts";
import { fusedFaults } from "../model/fault-leases.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { runtimeLayersOf } from "../model/runtime-layers.ts";
import type { VirtualServiceIndex } from "../model/virtual-services.ts";
import { abortKey, delayKey, faultShares } from "./fault.ts";
import type { TranslateOptions } from "./options.ts";
import type { TimedResources } from "./resources.ts";

/** The layer that our bootstraps ask for beside people's own. */
export const faultLayer = "limpid-faults";

/** What the mesh's RuntimeLayers and its faults mean for a proxy, by the name that its bootstrap asks for. */
export const runtimeLayers = (
  mesh: Mesh,
  proxy: MeshProxy,
  { faultTtlMs }: Pick<TranslateOptions, "faultTtlMs">,
): Pick<TimedResources, "runtimes" | "runtimeTtls"> => {
  const { namespace, labels, faultLeases } = proxy;
  const { rootNamespace } = mesh.options;
  const key = `runtime ${JSON.stringify([rootNamespace, namespace, labels, faultLeases])}`;
  const faults = faultLeases ? faultRuntime(mesh.virtualServices) : undefined;
  return memo(mesh.runtimeLayers, key, [faults, faultTtlMs], () => {
    const layers = runtimeLayersOf(mesh.runtimeLayers, rootNamespace, { namespace, labels });
    const runtimes = new Map(
      [...layers].map(([name, { values }]) => [name, create(RuntimeSchema, { name, layer: values as JsonObject })]),
    );
    const ttls = new Map([...layers].flatMap(([name, { ttlMs }]) => (ttlMs === undefined ? [] : [[name, ttlMs]])));
    if (faults === undefined) return { runtimes, runtimeTtls: ttls };
    return { runtimes: runtimes.set(faultLayer, faults), runtimeTtls: ttls.set(faultLayer, faultTtlMs) };
  });
};

/** The shares of faults that end by themselves; undefined where there are none. See docs/decisions/0051-faults-are-leased.md. */
const faultRuntime = (virtualServices: VirtualServiceIndex): Runtime | undefined => {
  const faults = virtualServices.all.filter((it) => fusedFaults(it).size > 0);
  return memo(faultRuntime, "faults", faults, () => {
    const layer: JsonObject = {};
    for (const virtualService of faults) {
      for (const [place, name] of fusedFaults(virtualService)) {
        const { delay, abort } = faultShares(virtualService.http[place]?.fault ?? {});
        if (delay) layer[delayKey(name)] = delay;
        if (abort) layer[abortKey(name)] = abort;
      }
    }
    return faults.length > 0 ? create(RuntimeSchema, { name: faultLayer, layer }) : undefined;
  });
};
