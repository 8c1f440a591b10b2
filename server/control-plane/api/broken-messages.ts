import type { ConfigObject } from "../../config/object.ts";
import { told } from "../../contract/told.ts";
import type { FieldError } from "../../lib/result.ts";
import type { EnvoyFilterSpec } from "../../model/specs.ts";
import { valueError } from "../../translate/patches/patch-set.ts";

/** What stands in an EnvoyFilter and is no message of Envoy's: what its kind's own schema can't know. Of other kinds nothing. */
export function brokenMessages({ kind, spec }: Pick<ConfigObject, "kind"> & { spec: unknown }): FieldError[] {
  if (kind !== "EnvoyFilter") return [];
  return (spec as EnvoyFilterSpec).configPatches.flatMap((patch, index) => {
    const error = valueError(patch);
    if (error === undefined) return [];
    const what = { part: patch.applyTo, message: error.message, why: error.why };
    return [{ path: `spec.configPatches[${index}].patch.value`, ...told("envoy-message", what) }];
  });
}
