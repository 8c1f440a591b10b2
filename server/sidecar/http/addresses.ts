import type { Socket } from "node:net";

/** One end of a connection. */
export interface Address {
  readonly address: string;
  readonly port: number;
}

/** A piece of the PROXY protocol's version 2 beside the addresses. */
export interface Tlv {
  readonly type: number;
  readonly value: Buffer;
}

/** What somebody in front has said of a connection by the PROXY protocol. */
export interface Proxied {
  readonly source: Address;
  readonly destination: Address;
  /** Those to be passed on. */
  readonly tlvs: readonly Tlv[];
}

export interface ConnectionAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Undefined: the addresses are the socket's own. */
  readonly proxied: Proxied | undefined;
}

const proxiedBy = new WeakMap<Socket, Proxied>();

/** From now on the socket's addresses are those. */
export function setProxied(socket: Socket, proxied: Proxied | undefined): void {
  if (proxied !== undefined) proxiedBy.set(socket, proxied);
}

/** Of the client and of where it was going: the socket's ends, unless somebody in front has said otherwise. */
export function addressesOf(socket: Socket): ConnectionAddresses {
  const proxied = proxiedBy.get(socket);
  if (proxied !== undefined) {
    const { source, destination } = proxied;
    return {
      remoteAddress: source.address,
      remotePort: source.port,
      localAddress: destination.address,
      localPort: destination.port,
      proxied,
    };
  }
  return {
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
    proxied: undefined,
  };
}
