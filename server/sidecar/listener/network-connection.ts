import type { Socket } from "node:net";
import { addressesOf } from "../http/addresses.ts";
import type { NetworkConnection } from "../network/network-filter.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";

/** A connection as network filters see it. */
export function networkConnection(
  socket: Socket,
  tls: TlsConnection | undefined,
  serverName: string,
): NetworkConnection {
  const facts = { ...addressesOf(socket), tls, draining: false };
  const onClose = (act: () => void) => void socket.once("close", act);
  return { facts, serverName, forwardPort: undefined, metadata: {}, onClose };
}
