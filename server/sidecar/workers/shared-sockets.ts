import net, { isIPv6 } from "node:net";
import { getSystemErrorName } from "node:util";
import type { ListeningSocket, SocketHandle } from "../../lib/succession.ts";
import type { InheritedSockets } from "../listener/inherited-sockets.ts";
import type { ListenAddress } from "../listener/listen-address.ts";

/** Why there is no socket; `code` such as EADDRINUSE. */
export interface BindError {
  readonly code: string;
  readonly message: string;
}

interface Shared {
  readonly address: string;
  readonly port: number;
  readonly handle: SocketHandle;
}

/**
 * Sockets that are bound once and that every worker accepts on. Who connects waits in a queue that belongs to the socket: whichever worker is free takes it, and
 * the end of one loses nobody but those whom it had taken. (Of sockets that share a port, SO_REUSEPORT, each has a queue of its own, which a worker that hangs keeps.)
 */
export class SharedSockets {
  private readonly held = new Map<string, Shared>();
  private readonly inherited: InheritedSockets;
  private readonly reusePort: boolean;

  constructor(inherited: InheritedSockets, reusePort: boolean) {
    this.inherited = inherited;
    this.reusePort = reusePort;
  }

  /** @param name of the listener: those that leave their port open have one each */
  get(name: string, { address, port }: ListenAddress): SocketHandle | BindError {
    const key = keyOf(name, { address, port });
    const known = this.held.get(key);
    if (known !== undefined) return known.handle;
    const bound = this.inherited.take(address, port) ?? bind(address, port, this.reusePort);
    if (typeof bound === "number") {
      const code = getSystemErrorName(bound);
      return { code, message: `listen ${code}: ${address}:${port}` };
    }
    this.held.set(key, { address, port, handle: bound });
    return bound;
  }

  /** Closes those that no listener has any more. Connections that wait are still the workers' to take. */
  retain(listeners: readonly { name: string; address: ListenAddress }[]): void {
    const wanted = new Set(listeners.map(({ name, address }) => keyOf(name, address)));
    for (const [key, { handle }] of this.held) {
      if (wanted.has(key)) continue;
      handle.close();
      this.held.delete(key);
    }
  }

  /** For a successor. */
  list(): ListeningSocket[] {
    return [...this.held.values()].filter(({ port }) => port !== 0);
  }

  close(): void {
    this.retain([]);
  }
}

const keyOf = (name: string, { address, port }: ListenAddress): string =>
  port === 0 ? `${address} 0 ${name}` : `${address} ${port}`;

/** Node's constant for uv_tcp_bind(), which it doesn't export. */
const reusePortFlag = 2;

/** What node:cluster binds with, whose workers share sockets as ours do: bound, and not listening, so that this process accepts nothing. */
const createServerHandle = (
  net as unknown as {
    _createServerHandle(
      address: string,
      port: number,
      type: 4 | 6,
      fd: undefined,
      flags: number,
    ): SocketHandle | number;
  }
)._createServerHandle;

const bind = (address: string, port: number, reusePort: boolean): SocketHandle | number =>
  createServerHandle(address, port, isIPv6(address) ? 6 : 4, undefined, reusePort ? reusePortFlag : 0);
