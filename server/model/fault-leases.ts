import { type VirtualService as Edited, fusedRules } from "../config/edits/index.ts";
import { memo } from "../lib/memo.ts";
import type { VirtualService } from "./virtual-services.ts";

/** Injected faults that end by themselves: by the place of the rule in `http`, the name under which the fault stands or falls. */
export const fusedFaults = (virtualService: VirtualService): ReadonlyMap<number, string> =>
  memo(virtualService, "fused-faults", [], () => {
    const { namespace, name, source } = virtualService;
    const rules = fusedRules(source as unknown as Edited);
    return new Map([...rules].map(([place, id]) => [place, `limpid.fault.${namespace}.${name}.${id}`] as const));
  });
