import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createMeshPipeline } from "../control-plane/pipeline.ts";
import { loadCase } from "../translate/testing/cases.ts";
import { type RehearsedResources, rehearse } from "./rehearsal.ts";
import { clusterFrom, listenerFrom } from "./test-plane.ts";

const folder = join(import.meta.dirname, "../translate/testdata");
const cases = readdirSync(folder).filter((name) => name.endsWith(".in.yaml"));

describe("the bundled sidecar refuses nothing of what is translated for it", () => {
  it.each(cases)("%s", async (name) => {
    const { proxy, objects } = loadCase(join(folder, name));
    const pipeline = createMeshPipeline();
    pipeline.reset(objects, 1);
    // One that came with a stream for each type is an Envoy.
    const sidecar = { ...proxy, bundled: true, interception: "NONE" as const, xdsCluster: undefined };
    expect(await rehearse(pipeline.translate(sidecar))).toEqual([]);
  });
});

const none: RehearsedResources = {
  clusters: new Map(),
  endpoints: new Map(),
  listeners: new Map(),
  routes: new Map(),
  virtualHosts: new Map(),
  extensionConfigs: new Map(),
};

it("names each resource that it refuses, in a proxy's words, and opens and binds nothing", async () => {
  const cluster = clusterFrom({
    name: "odd",
    lb_policy: "RING_HASH",
    track_timeout_budgets: true,
  });
  const good = clusterFrom({ name: "good" });
  const refused = await rehearse({
    ...none,
    clusters: new Map([
      ["odd", cluster],
      ["good", good],
    ]),
  });
  expect(refused).toMatchObject([{ type: "CDS", name: "odd" }]);
  expect(refused[0]?.detail).toContain("track_timeout_budgets");
});

it("holds nothing against files that stand on the proxy's machine", async () => {
  const listener = listenerFrom({
    name: "tls",
    address: { socket_address: { address: "127.0.0.1", port_value: 1 } },
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.tcp_proxy",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
              stat_prefix: "x",
              cluster: "x",
            },
          },
        ],
        transport_socket: {
          name: "tls",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context: {
              tls_certificates: [
                { certificate_chain: { filename: "/nowhere/a.crt" }, private_key: { filename: "/nowhere/a.key" } },
              ],
            },
          },
        },
      },
    ],
  });
  expect(await rehearse({ ...none, listeners: new Map([["tls", listener]]) })).toEqual([]);
});
