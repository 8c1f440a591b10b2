import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../../server/lib/clock.ts";
import { silentLogger } from "../../server/lib/logger.ts";
import { createXdsServer } from "../../server/xds/ads-server.ts";
import { createSnapshot, type SnapshotMessages } from "../../server/xds/snapshot.ts";
import { type EnvoyOptions, startEnvoy } from "../../server/xds/testing/envoy.ts";
import {
  testCluster,
  testMessages,
  testRoutes,
  virtualHostJson,
  withEntry,
} from "../../server/xds/testing/messages.ts";
import { freePort, listening } from "./ground.ts";
import { h2load } from "./loads.ts";

const swaps = 100;
const seconds = 20;
const rate = 5_000;
const connections = 50;

export interface SwapResult {
  /** Answered per second. */
  rate: number;
  failed: number;
  /** Revisions that the proxy said it holds. */
  acknowledged: number;
}

/**
 * A proxy under `rate` requests a second (HTTP/1.1, kept connections) while a control plane gives it a hundred new configurations: each
 * changes the route, and every other one the cluster, too.
 * @param command a program that takes Envoy's flags; undefined: the real Envoy.
 */
export async function swapUnderLoad(upstream: number, command: readonly string[] | undefined): Promise<SwapResult> {
  const port = await freePort();
  const mesh = testMessages({ listenerPort: port, upstreamPort: upstream, services: 1, vhds: false });
  let messages: SnapshotMessages = { ...mesh, routes: routesMarked(mesh.routes, "v0") };
  let revision = 1;
  let acknowledged = 0;
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    events: {
      connected: (session) => session.publish(createSnapshot(revision, messages)),
      disconnected: () => {},
      pushed: () => {},
      nacked: () => {},
      settled: (_, settled) => {
        acknowledged = Math.max(acknowledged, settled - 1);
      },
    },
  });
  const options: EnvoyOptions = { id: "swapped", xdsPort: await server.start(), api: "DELTA_GRPC" };
  const proxy = await startEnvoy({ ...options, ...(command && { command }) });
  try {
    await listening(port);
    const loaded = h2load({ connections, http1: true, rate })(port, seconds);
    for (let swap = 1; swap <= swaps; swap++) {
      await wait((seconds * 900) / swaps);
      revision += 1;
      messages = {
        ...messages,
        routes: routesMarked(messages.routes, `v${swap}`),
        ...(swap % 2 === 0 && {
          clusters: withEntry(messages.clusters, "s0", testCluster("s0", `${1 + swap / 1000}s`)),
        }),
      };
      for (const session of server.sessions()) session.publish(createSnapshot(revision, messages));
    }
    const { requests, errors } = await loaded;
    return { rate: requests / seconds, failed: errors, acknowledged };
  } finally {
    await proxy.stop();
    await server.stop(200);
  }
}

/** For any host: h2load's runs of a given time don't end when it is told another. */
function routesMarked(routes: SnapshotMessages["routes"], marker: string): SnapshotMessages["routes"] {
  const host = { ...virtualHostJson("s0", "s0", marker), domains: ["*"] };
  return withEntry(routes, "http_proxy", testRoutes("http_proxy", [host]));
}
