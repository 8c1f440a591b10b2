import { parseSpiffeUri } from "../lib/spiffe.ts";
import type { MeshProxy } from "../model/proxy.ts";

/**
 * What speaks against serving this proxy under the identity that its certificate or its token shows, in words; undefined: nothing. Its metadata say whose
 * configuration it wants, and must not say more than that proves.
 */
export function identityProblem(proxy: MeshProxy, trustDomain = ""): string | undefined {
  const { identity = "", namespace, serviceAccount } = proxy;
  const id = parseSpiffeUri(identity);
  const form = `spiffe://${trustDomain}/ns/<namespace>/sa/<service account>`;
  if (id?.trustDomain !== trustDomain)
    return `the client has shown itself as ${identity}, which is not of the form ${form}`;
  if (id.namespace === namespace && id.serviceAccount === serviceAccount) return undefined;
  return (
    `the node says namespace ${JSON.stringify(namespace)} and service account ${JSON.stringify(serviceAccount)} ` +
    `(metadata NAMESPACE and SERVICE_ACCOUNT), but it has shown itself as ${identity}`
  );
}
