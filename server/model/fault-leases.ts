import { fusedRules, type VirtualService as Written } from "../config/edits/index.ts";
import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import type { VirtualServiceSpec } from "./specs.ts";
import { originOf, type VirtualService } from "./virtual-service.ts";

/** Injected faults that end by themselves: by the place of the rule in `http`, the name under which the fault stands or falls. */
export const fusedFaults = (virtualService: VirtualService): ReadonlyMap<number, string> =>
  memo(virtualService, "fused-faults", [], () => {
    const places = virtualService.http.flatMap((_, place): [number, string][] => {
      const { source, index, root } = originOf(virtualService, place);
      const isRoots = root !== undefined && faultAt(source, index) === undefined;
      const name = isRoots ? leasesOf(virtualService.source).get(root) : leasesOf(source).get(index);
      return name === undefined ? [] : [[place, name]];
    });
    return new Map(places);
  });

const faultAt = ({ spec }: ConfigObject, index: number) => (spec as unknown as VirtualServiceSpec).http?.[index]?.fault;

/** By the place of the rule in the object's own `spec.http`. */
const leasesOf = (object: ConfigObject): ReadonlyMap<number, string> =>
  memo(object, "fault-leases", [], () => {
    const { namespace, name } = object.metadata;
    const rules = fusedRules(object as unknown as Written);
    return new Map([...rules].map(([place, id]) => [place, `limpid.fault.${namespace}.${name}.${id}`] as const));
  });
