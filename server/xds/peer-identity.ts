import type { Metadata } from "@grpc/grpc-js";
import { identityKey } from "../grpc/guarded-tls.ts";
import type { ServerCall } from "../lib/grpc.ts";
import { RequestError } from "./request-error.ts";

/** Of a call what tells who calls. */
export type AuthenticatedCall = Pick<ServerCall, "getAuthContext"> & {
  readonly metadata?: Pick<Metadata, "get">;
};

/** The identity that a token proved, on a connection without a certificate. */
export function tokenIdentity(call: AuthenticatedCall): string | undefined {
  const [identity] = call.metadata?.get(identityKey) ?? [];
  return identity === undefined ? undefined : String(identity);
}

/**
 * The URI in the certificate that the client opened its connection with, or whom its token is of; undefined over plain text. Throws `RequestError` for a certificate without
 * exactly one: then it names nobody. https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md#2-spiffe-id
 */
export function peerIdentity(call: AuthenticatedCall): string | undefined {
  const { transportSecurityType, sslPeerCertificate } = call.getAuthContext();
  if (transportSecurityType === undefined) return tokenIdentity(call);
  const names = (sslPeerCertificate?.subjectaltname ?? "").split(", ");
  const [uri, ...more] = names.filter((name) => name.startsWith("URI:"));
  // Node puts a name with a comma or a quote in it between quotes: it is no SPIFFE id.
  if (uri === undefined || more.length > 0 || names.some((name) => name.includes('"'))) {
    throw new RequestError("the client certificate must carry one URI, its SPIFFE id");
  }
  return uri.slice("URI:".length);
}
