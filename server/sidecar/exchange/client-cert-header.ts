import type { TlsInfo } from "../tls/peer-info.ts";

export const clientCertHeader = "x-forwarded-client-cert";

/** What becomes of the header that comes in. */
export type ForwardClientCert = "sanitize" | "forward_only" | "append_forward" | "sanitize_set" | "always_forward_only";

export interface ClientCertOptions {
  readonly forward: ForwardClientCert;
  /** What is told of the client's certificate, besides its hash and our own name. */
  readonly details: { readonly subject: boolean; readonly uri: boolean; readonly dns: boolean };
}

/**
 * The header as the application gets it, from what came in; undefined: none.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function forwardedClientCert(
  { forward, details }: ClientCertOptions,
  received: string | undefined,
  tls: TlsInfo | undefined,
): string | undefined {
  if (forward === "always_forward_only") return received;
  if (forward === "sanitize" || tls?.peer === undefined) return undefined;
  if (forward === "forward_only") return received;
  const own = describe(tls, tls.peer, details);
  return forward === "append_forward" && received ? `${received},${own}` : own;
}

function describe(
  { localUris }: TlsInfo,
  peer: NonNullable<TlsInfo["peer"]>,
  details: ClientCertOptions["details"],
): string {
  const parts = [...localUris.map((uri) => `By=${uri}`), `Hash=${peer.hash}`];
  if (details.subject) parts.push(`Subject="${peer.subject.replaceAll('"', '\\"')}"`);
  if (details.uri) parts.push(...(peer.uris.length > 0 ? peer.uris : [""]).map((uri) => `URI=${uri}`));
  if (details.dns) parts.push(...peer.dnsNames.map((name) => `DNS=${name}`));
  return parts.join(";");
}
