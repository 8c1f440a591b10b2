import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { ask, get, openClient } from "../http2/testing/client.ts";
import { echo, startServer } from "../http2/testing/server.ts";
import { silentLogger } from "../lib/logger.ts";
import { freePort } from "../xds/testing/envoy.ts";
import { runSidecar } from "./run.ts";
import { listenerJson, staticCluster, toCluster } from "./test-plane.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it("routes to a cluster of the bootstrap that speaks HTTP/2, which is not only there for the proxy's own streams", async () => {
  const upstream = await startServer(echo);
  cleanups.push(() => upstream.stop());
  const folder = await mkdtemp(join(tmpdir(), "sidecar-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const port = await freePort();
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const cluster = staticCluster("up", [upstream.port], {
    typed_extension_protocol_options: {
      [options]: { "@type": `type.googleapis.com/${options}`, explicit_http_config: { http2_protocol_options: {} } },
    },
  });
  const listener = listenerJson({
    routes: [toCluster("up")],
    manager: { access_log: [] },
    listener: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
  });
  const configPath = join(folder, "bootstrap.json");
  const statics = { listeners: [listener], clusters: [cluster] };
  await writeFile(configPath, JSON.stringify({ node: { id: "a", cluster: "a" }, static_resources: statics }));
  const running = await runSidecar({
    configPath,
    drainTimeMs: 1000,
    version: "1.2.3",
    logger: silentLogger,
    logLevel: { get: () => "info", set: () => true },
  });
  cleanups.push(() => running.stop());
  const client = await openClient(port);
  cleanups.push(() => client.stop());
  const answer = await ask(client.connection, get("/a", { method: "POST" }), Buffer.from("hello"));
  expect([answer.status, answer.body.toString()]).toEqual([200, "hello"]);
});
