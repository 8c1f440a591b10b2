import { connect, type Socket } from "node:net";
import type { Cluster } from "./cluster.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectTls } from "./upstream-tls.ts";

/** Begins a connection to an endpoint, in TLS where the cluster says so; `ready` is the event after which it can be used. Either side may end alone. */
export function openSocket({ config, stats }: Cluster, endpoint: Endpoint): { socket: Socket; ready: string } {
  const { address, port } = endpoint.config;
  const options = {
    host: address,
    port,
    noDelay: true,
    allowHalfOpen: true,
    localAddress: config.bindAddress || undefined,
  };
  if (config.tls === undefined) return { socket: connect(options), ready: "connect" };
  return { socket: connectTls(config.tls, options, stats.tls), ready: "secureConnect" };
}
