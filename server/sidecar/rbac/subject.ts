import type { DownstreamFacts } from "../http/stream.ts";
import type { RequestView } from "../match/request-view.ts";
import type { CertificateInfo } from "../tls/certificate-info.ts";

/** The ends of a connection, and who the client showed itself to be: the same for all requests that come by it. */
export type RbacConnection = Pick<DownstreamFacts, "remoteAddress" | "localAddress" | "localPort"> & {
  /** Undefined: plain text; its `peer` undefined: the client showed no certificate. */
  readonly tls: { readonly peer: Pick<CertificateInfo, "uris" | "dns" | "subject"> | undefined } | undefined;
};

/** Who wants what: a request, or a connection of which nothing but its ends and its handshake is known. */
export interface RbacSubject {
  readonly connection: RbacConnection;
  /** That the client asked for in its handshake; may be empty. */
  readonly serverName: string;
  /** Where the request came from first, as far as `x-forwarded-for` is believed. */
  readonly remoteAddress: string;
  /** Undefined: a connection. */
  readonly request: RequestView | undefined;
}
