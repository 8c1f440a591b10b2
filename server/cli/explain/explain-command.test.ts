import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, expect, it } from "vitest";
import type { CliIo } from "../config/io.ts";
import { registerExplain } from "./register.ts";

const folder = mkdtempSync(join(tmpdir(), "explain-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const type = (name: string) => `type.googleapis.com/envoy.${name}`;
const dump = {
  configs: [
    {
      "@type": type("admin.v3.ListenersConfigDump"),
      dynamic_listeners: [
        {
          name: "0.0.0.0_9080",
          error_state: { failed_configuration: { "@type": type("config.listener.v3.Listener"), name: "refused" } },
          active_state: {
            listener: {
              "@type": type("config.listener.v3.Listener"),
              name: "0.0.0.0_9080",
              address: { socket_address: { address: "0.0.0.0", port_value: 9080 } },
              filter_chains: [
                {
                  filters: [
                    {
                      name: "envoy.filters.network.http_connection_manager",
                      typed_config: {
                        "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
                        rds: { route_config_name: "9080" },
                        http_filters: [
                          {
                            name: "istio.stats",
                            typed_config: { "@type": "type.googleapis.com/stats.PluginConfig", x: 1 },
                          },
                        ],
                      },
                    },
                  ],
                },
              ],
            },
          },
        },
      ],
    },
    {
      "@type": type("admin.v3.RoutesConfigDump"),
      dynamic_route_configs: [
        {
          route_config: {
            "@type": type("config.route.v3.RouteConfiguration"),
            name: "9080",
            virtual_hosts: [
              {
                name: "reviews:9080",
                domains: ["reviews:9080"],
                routes: [
                  {
                    name: "jason",
                    match: { prefix: "/", headers: [{ name: "end-user", string_match: { exact: "jason" } }] },
                    route: { cluster: "v2" },
                    metadata: {
                      filter_metadata: {
                        istio: { config: "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews" },
                      },
                    },
                  },
                  { name: "rest", match: { prefix: "/" }, route: { cluster: "v1" } },
                ],
              },
            ],
          },
        },
      ],
    },
    {
      "@type": type("admin.v3.ClustersConfigDump"),
      dynamic_active_clusters: [
        {
          cluster: {
            "@type": type("config.cluster.v3.Cluster"),
            name: "v1",
            type: "STATIC",
            load_assignment: {
              cluster_name: "v1",
              endpoints: [
                {
                  lb_endpoints: [
                    { endpoint: { address: { socket_address: { address: "10.0.0.1", port_value: 80 } } } },
                  ],
                },
              ],
            },
          },
        },
      ],
    },
  ],
};
const file = join(folder, "dump.json");
writeFileSync(file, JSON.stringify(dump));

async function run(...args: string[]): Promise<{ out: string; err: string; failed: boolean }> {
  const said = { out: "", err: "", failed: false };
  const io: CliIo = {
    out(text) {
      said.out += text;
    },
    err(text) {
      said.err += text;
    },
    stdin: async () => JSON.stringify(dump),
    fail() {
      said.failed = true;
    },
    env: {},
  };
  const program = new Command().exitOverride();
  registerExplain(program, io);
  await program.parseAsync(["node", "limpid", "explain", ...args]);
  return said;
}

it("explains an Envoy's config dump, with parts that nobody here knows", async () => {
  const { out } = await run("--dump", file, "-H", "end-user: ana", "http://reviews:9080/x");
  expect(out).toContain("✗ route 1     jason → v2");
  expect(out).toContain("VirtualService default/reviews");
  expect(out).toContain('✗ header end-user is "jason"  has "ana"');
  expect(out).toContain("✓ route 2     rest → v1");
  expect(out).toContain("✓ 10.0.0.1:80");
  const jason = await run("--dump", "-", "-H", "a: b", "-H", "end-user: jason", "-o", "json", "http://reviews:9080/x");
  expect(JSON.parse(jason.out).source.end).toMatchObject({ kind: "no-cluster", status: 503 });
});

it("says what is wrong in a sentence", async () => {
  expect(await run("http://x/")).toMatchObject({ failed: true, err: "error: --from is missing: who calls?\n" });
  writeFileSync(join(folder, "no.json"), "[]");
  expect((await run("--dump", join(folder, "no.json"), "http://x/")).err).toMatch(/^error: configs: required/);
});
