/** Who a workload is, as its certificate's URI says it. https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Istio's form: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. https://istio.io/latest/docs/concepts/security/#istio-identity */
export const spiffeUri = ({ trustDomain, namespace, serviceAccount }: SpiffeId): string =>
  `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;

/** Undefined for a URI of any other form. */
export function parseSpiffeUri(uri: string): SpiffeId | undefined {
  const [, trustDomain, namespace, serviceAccount] = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uri) ?? [];
  return trustDomain && namespace && serviceAccount ? { trustDomain, namespace, serviceAccount } : undefined;
}

/** Where the control plane's own identity lives: nobody joins there, and nobody revokes it. */
export const controlPlaneNamespace = "limpid-system";
