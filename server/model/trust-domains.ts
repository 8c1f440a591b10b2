import { memo } from "../lib/memo.ts";
import { parseSpiffeUri, spiffeUri } from "../lib/spiffe.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Of whose certificates the mesh says that they are its own: its trust domain first, then the aliases. The same array while they are the same.
 * https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/
 */
export function trustDomainsOf({ options, settings }: Pick<Mesh, "options" | "settings">): readonly string[] {
  const { trustDomainAliases } = settings;
  return memo(options, `trust-domains ${trustDomainAliases.join(" ")}`, [], () => [
    ...new Set([options.trustDomain, ...trustDomainAliases]),
  ]);
}

/** As the mesh calls whom an id of an alias is of; any other id as it is. */
export function ownIdentity(uri: string, [own = "", ...aliases]: readonly string[]): string {
  const id = parseSpiffeUri(uri);
  return id && aliases.includes(id.trustDomain) ? spiffeUri({ ...id, trustDomain: own }) : uri;
}
