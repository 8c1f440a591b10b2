import { authoritiesSecret, certificateSecret, secretName } from "../model/credentials.ts";
import type { DestinationRule } from "../model/destination-rules.ts";
import type { Mesh } from "../model/mesh.ts";
import type { ClientTLSSettings } from "../model/specs.ts";
import { authoritiesResource, credentialResource } from "./names.ts";
import type { Scope } from "./scope.ts";
import type { ClientCredentials } from "./upstream-tls.ts";

/**
 * What `credentialName` of a rule stands for: a Secret of the client's own namespace. A gateway gets it, and a sidecar for a rule of its own namespace,
 * whose writer could have it anyway. `missing`: it isn't there or not for this client, so that there is no calling as the rule wants it.
 */
export function clientCredentials(
  mesh: Mesh,
  scope: Scope,
  rule: DestinationRule | undefined,
  tls: ClientTLSSettings | undefined,
): ClientCredentials | "missing" | undefined {
  if (!tls?.credentialName || (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL")) return undefined;
  const { namespace } = scope;
  if (!scope.certified || (!scope.isGateway && rule?.namespace !== namespace)) return "missing";
  const name = secretName(tls.credentialName);
  const hasCertificate = certificateSecret(mesh, namespace, name) !== undefined;
  const hasAuthorities = authoritiesSecret(mesh, namespace, name) !== undefined;
  if (tls.mode === "MUTUAL" && !hasCertificate) return "missing";
  if (!hasAuthorities && !hasCertificate) return "missing";
  return {
    certificate: tls.mode === "MUTUAL" ? credentialResource(name) : undefined,
    // A Secret without authorities leaves the machine's own in force.
    authorities: hasAuthorities ? authoritiesResource(name) : undefined,
    source: scope.way.credentials,
  };
}
