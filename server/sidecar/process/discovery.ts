import { systemClock } from "../../lib/clock.ts";
import { type AdsClient, createAdsClient } from "../../xds/client/ads-client.ts";
import type { SidecarBootstrap } from "../bootstrap/read-bootstrap.ts";
import { serverNameOption } from "../grpc/grpc-channels.ts";
import type { Parts } from "./parts.ts";

/** Opens the stream to the control plane, and keeps at it. */
export function startDiscovery(parts: Parts, ads: NonNullable<SidecarBootstrap["ads"]>): AdsClient {
  const { stats, channels, config, options, resources } = parts;
  const connected = stats.gauge(connectedGauge);
  // The stream has one connection of its own, beside the cluster's pool.
  const connections = stats.gauge(`cluster.${ads.cluster}.upstream_cx_active`);
  const client = createAdsClient({
    target: ads.target.address,
    ...(ads.target.tls && {
      credentials: () => channels.credentials(ads.cluster),
      channelOptions: serverNameOption(ads.target),
    }),
    node: config.node,
    logger: options.logger,
    clock: systemClock,
    handlers: resources.handlers,
    onConnection: ({ state }) => {
      connected.set(state === "connected" ? 1 : 0);
      connections.set(state === "connected" ? 1 : 0);
    },
  });
  resources.attach(client, ads);
  client.start();
  return client;
}

/** Whether there is a stream to the control plane. */
export const isConnected = ({ stats }: Parts): boolean => stats.gauge(connectedGauge).value === 1;

const connectedGauge = "control_plane.connected_state";
