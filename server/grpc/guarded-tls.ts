import { createServer, type Server, type TLSSocket } from "node:tls";
import { type Metadata, status } from "@grpc/grpc-js";

/** Who a token is of; or why it is nobody's. `unavailable`: nobody can say at the moment. Never rejects. */
export type Authenticate = (
  token: string,
) => Promise<{ identity: string } | { refused: string; unavailable?: boolean }>;

/** In PEM. */
export interface ServerMaterial {
  key: string;
  /** The server's own certificate first. */
  certificateChain: string;
  /** What a client's certificate must lead to. */
  root: string;
}

export interface GuardedTls {
  /** Calls back with what takes the place of the first, for connections that begin from then on. */
  credentials(renew: (material: ServerMaterial) => void): Promise<ServerMaterial>;
  /** Who comes in: with a certificate only; besides by a token, about which is asked; or anybody, who is not asked for a certificate. */
  clients: "certified" | "anybody" | Authenticate;
}

/** Under which a call's metadata have the identity that a token proved. Whatever a client sends under it is taken away. */
export const identityKey = "limpid-token-identity";

const handshakeMs = 10_000;

/**
 * Ends TLS. A client's certificate must be of the roots; without one it may come in to say by a token who it is, as at istiod's port 15012. Node's least
 * version is TLS 1.2.
 */
export async function tlsListener(
  { credentials, clients }: GuardedTls,
  take: (socket: TLSSocket) => void,
): Promise<Server> {
  const context = ({ key, certificateChain, root }: ServerMaterial) => ({ key, cert: certificateChain, ca: root });
  let renewed: ServerMaterial | undefined;
  let server: Server | undefined;
  const first = await credentials((next) => {
    renewed = next;
    server?.setSecureContext(context(next));
  });
  server = createServer(
    {
      ...context(renewed ?? first),
      requestCert: clients !== "anybody",
      rejectUnauthorized: clients === "certified",
      ALPNProtocols: ["h2"],
      handshakeTimeout: handshakeMs,
    },
    (socket) => {
      socket.on("error", () => {}); // its connection hears of it as well
      // A wrong certificate is not as good as none: whoever shows one should hear that it is refused.
      if (clients !== "anybody" && !socket.authorized && hasCertificate(socket)) return void socket.destroy();
      take(socket);
    },
  );
  return server;
}

const hasCertificate = (socket: TLSSocket): boolean => Object.keys(socket.getPeerCertificate()).length > 0;

/** Who the bearer token in a call's metadata is of. */
export async function claimedIdentity(
  metadata: Metadata,
  authenticate: Authenticate,
): Promise<{ identity: string } | { code: status; refused: string }> {
  const [header = "", ...more] = metadata.get("authorization").map(String);
  const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(header) ?? [];
  if (token === undefined || more.length > 0) {
    return {
      code: status.UNAUTHENTICATED,
      refused: "a certificate of the mesh is needed here, or a token: authorization: Bearer <token>",
    };
  }
  const claim = await authenticate(token);
  if (!("refused" in claim)) return claim;
  return { code: claim.unavailable ? status.UNAVAILABLE : status.UNAUTHENTICATED, refused: claim.refused };
}
