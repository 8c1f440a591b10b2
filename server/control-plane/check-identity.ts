import { parseSpiffeUri } from "../lib/spiffe.ts";
import type { MeshProxy } from "../model/proxy.ts";

/**
 * What speaks against serving this proxy under the identity that its certificate or its token shows, in words; undefined: nothing. Its metadata say whose
 * configuration it wants, and must not say more than that proves.
 */
export function identityProblem(proxy: MeshProxy, trustDomains: readonly string[]): string | undefined {
  const { identity = "", namespace, serviceAccount } = proxy;
  const id = parseSpiffeUri(identity);
  if (id === undefined || !trustDomains.includes(id.trustDomain)) {
    const [own, ...aliases] = trustDomains;
    const form = `spiffe://${own}/ns/<namespace>/sa/<service account>`;
    const others = aliases.length > 0 ? `, nor that of an alias (${aliases.join(", ")})` : "";
    return `the client has shown itself as ${identity}, which is not of the form ${form}${others}`;
  }
  if (id.namespace === namespace && id.serviceAccount === serviceAccount) return undefined;
  return (
    `the node says namespace ${JSON.stringify(namespace)} and service account ${JSON.stringify(serviceAccount)} ` +
    `(metadata NAMESPACE and SERVICE_ACCOUNT), but it has shown itself as ${identity}`
  );
}
