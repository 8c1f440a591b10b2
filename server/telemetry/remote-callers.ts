import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

/** How other machines reach the collector, beside loopback: at these addresses of this machine, over mutual TLS. */
export interface RemoteAccess {
  /** None of loopback. */
  addresses: readonly string[];
  /** PEM each. `clientRoots`: who shows a certificate of these may call; nobody else. */
  tls: { key: string; cert: string; clientRoots: string };
}

/** Why an HTTP call is refused, if it is: over TLS a caller has to show a certificate of the mesh. Whoever comes in plain text is on this machine. */
export function refusalOf({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket) || socket.authorized) return undefined;
  return "a certificate of the mesh is needed, as limpid join gets one";
}
