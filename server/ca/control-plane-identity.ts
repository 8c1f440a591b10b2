import { controlPlaneNamespace, spiffeUri } from "../lib/spiffe.ts";

/** As the control plane shows itself to proxies. */
export const controlPlaneIdentity = (trustDomain: string): string =>
  spiffeUri({ trustDomain, namespace: controlPlaneNamespace, serviceAccount: "control-plane" });
