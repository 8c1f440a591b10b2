import { envoyRehearsal } from "../control-plane/envoy-rehearsal.ts";
import type { Rehearse } from "../control-plane/foretell.ts";

/** Whom a change is tried on before it is made. `envoy`: a binary on this machine. */
export function rehearsals(envoy: string | undefined): Rehearse {
  const onEnvoy = envoy === undefined ? undefined : envoyRehearsal(envoy);
  return async (kind, resources) => {
    if (!kind.bundled) return (await onEnvoy?.(kind, resources)) ?? [];
    // Few changes are tried: the sidecar's code is not kept in every control plane.
    const { rehearse } = await import("../sidecar/rehearsal.ts");
    return rehearse(resources);
  };
}
