import type { Server } from "node:net";
import type { ListeningSocket, SocketHandle } from "../../lib/succession.ts";

/**
 * Listening sockets of the process before this one. Whoever connects is in a queue that belongs to the socket and not to a process, so nobody notices
 * which of the two accepts, nor that one of them closes it.
 */
export class InheritedSockets {
  private readonly byAddress = new Map<string, SocketHandle>();

  constructor(sockets: readonly ListeningSocket[]) {
    for (const { address, port, handle } of sockets) {
      this.byAddress.get(key(address, port))?.close();
      this.byAddress.set(key(address, port), handle);
    }
  }

  /** For `server.listen()`; each once. */
  take(address: string, port: number): SocketHandle | undefined {
    const found = this.byAddress.get(key(address, port));
    this.byAddress.delete(key(address, port));
    return found;
  }

  /** What nobody took has no listener any more: who connects there is to be refused, and not to wait. */
  close(): void {
    for (const handle of this.byAddress.values()) handle.close();
    this.byAddress.clear();
  }
}

/** Undefined of a server that is not bound, or whose port the configuration leaves open: a successor can't find that one. */
export function listeningSocket(server: Server, address: string, port: number): ListeningSocket | undefined {
  // Node has no public name for it, and sends and takes it all the same.
  const { _handle: handle } = server as unknown as { _handle: SocketHandle | null };
  return handle === null || port === 0 ? undefined : { address, port, handle };
}

const key = (address: string, port: number): string => `${address} ${port}`;
