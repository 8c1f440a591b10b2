import type { ConfigObject } from "../../../config/object.ts";
import { memo } from "../../../lib/memo.ts";
import { originOf, type VirtualService } from "../../../model/virtual-service.ts";
import type { Facts } from "../warnings/facts.ts";
import type { Rule } from "./rule-shares.ts";

/** A VirtualService with the rules that requests meet: those of its delegates in their places, each with where it is written. */
export const inForce = (virtualService: VirtualService): ConfigObject => {
  const { source, origins, http } = virtualService;
  if (origins === undefined) return source;
  return memo(virtualService, "in force", [], () => {
    const rules = http.map((rule, place): Rule => {
      const { source: written, index } = originOf(virtualService, place);
      return {
        ...rule,
        place: { virtualService: `${written.metadata.namespace}/${written.metadata.name}`, rule: index },
      };
    });
    return { ...source, spec: { ...source.spec, http: rules } };
  });
};

/** The same by its key, as the mesh of the facts has it; undefined: it isn't there, or is a delegate. */
export const objectInForce = (key: { namespace: string; name: string }, facts: Facts): ConfigObject | undefined => {
  const found = facts.virtualService(key);
  return found && inForce(found);
};
