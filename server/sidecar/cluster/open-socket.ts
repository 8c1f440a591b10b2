import { connect, type Socket } from "node:net";
import type { Place } from "./connector.ts";
import type { PoolHost } from "./pool-host.ts";
import { connectTls } from "./upstream-tls.ts";

/** Begins a connection to an endpoint, in TLS where the cluster says so; `ready` is the event after which it can be used. Either side may end alone. */
export function openSocket(
  { config, stats }: Pick<PoolHost, "config" | "stats">,
  { address, port, tlsHost }: Place,
): { socket: Socket; ready: string } {
  const options = {
    host: address,
    port,
    noDelay: true,
    allowHalfOpen: true,
    localAddress: config.bindAddress || undefined,
  };
  if (config.tls === undefined) return { socket: connect(options), ready: "connect" };
  return { socket: connectTls(config.tls, options, stats.tls, undefined, tlsHost), ready: "secureConnect" };
}
