import { connect, type Socket } from "node:net";
import type { ConnectionAddresses } from "../http/addresses.ts";
import type { Place } from "./connector.ts";
import { dialInProcess } from "./in-process.ts";
import type { PoolHost } from "./pool-host.ts";
import { proxyHeader } from "./proxy-protocol.ts";
import { transportOf } from "./transport.ts";
import { connectTls } from "./upstream-tls.ts";

/** Begins a connection to an endpoint, in TLS where the cluster says so; `ready` is the event after which it can be used. Either side may end alone. */
export function openSocket(
  { config, stats }: Pick<PoolHost, "config" | "stats">,
  { address, port, tlsHost, metadata }: Place,
  /** Whose connection it is for; undefined: the proxy's own. */
  origin?: ConnectionAddresses,
): { socket: Socket; ready: string } {
  const options = {
    host: address,
    port,
    noDelay: true,
    allowHalfOpen: true,
    localAddress: config.bindAddress || undefined,
  };
  const { tls, proxyProtocol } = transportOf(config, metadata);
  const announce =
    proxyProtocol === undefined
      ? undefined
      : (socket: Socket) => void socket.write(proxyHeader(proxyProtocol, origin, socket));
  if (tls !== undefined) {
    return { socket: connectTls(tls, options, stats.tls, { host: tlsHost, announce }), ready: "secureConnect" };
  }
  const socket = dialInProcess(address, port) ?? connect(options);
  if (announce !== undefined) socket.once("connect", () => announce(socket));
  return { socket, ready: "connect" };
}
