import { afterEach, expect, it, vi } from "vitest";
import { clusterFrom, eventually, Fixtures } from "../test-plane.ts";
import { fileSecrets } from "../tls/file-secret.ts";
import { compileCluster } from "./cluster-config.ts";
import { DnsResolver, type Lookup } from "./dns.ts";
import { testEndpoint } from "./testing/endpoint.ts";

const system = vi.hoisted(() => ({ lookup: async (): Promise<{ address: string }[]> => [{ address: "10.0.0.1" }] }));
vi.mock("node:dns/promises", () => ({ lookup: () => system.lookup() }));

const fixtures = new Fixtures();
const resolvers: DnsResolver[] = [];
afterEach(() => {
  fixtures.close();
  for (const resolver of resolvers.splice(0)) resolver.close();
});

const config = (type: string) =>
  compileCluster(clusterFrom({ name: "c", type, dns_refresh_rate: "0.005s", connect_timeout: "1s" }), fileSecrets);
const name = { ...testEndpoint(80).config, address: "svc.test" };

function resolve(type: string, lookup: Lookup, known?: ReadonlyMap<string, string[]>) {
  const published: string[][] = [];
  const resolver = new DnsResolver(
    config(type),
    [name],
    (endpoints) => published.push(endpoints.map(({ address }) => address)),
    known,
    lookup,
  );
  resolvers.push(resolver);
  return { published, resolver };
}

const down: Lookup = () => Promise.reject(new Error("SERVFAIL"));

it.each([
  ["STRICT_DNS", [["10.0.0.1", "10.0.0.2"], ["10.0.0.3"]]],
  ["LOGICAL_DNS", [["10.0.0.1"], ["10.0.0.3"]]],
])("%s follows the name, and keeps its addresses while it cannot be resolved", async (type, expected) => {
  let addresses: string[] | undefined = ["10.0.0.2", "10.0.0.1"];
  let failures = 0;
  const { published } = resolve(type, async () => {
    if (addresses !== undefined) return addresses.map((address) => ({ address }));
    failures++;
    throw new Error("SERVFAIL");
  });
  await eventually(() => published.length === 1);
  addresses = undefined;
  await eventually(() => failures > 2);
  expect(published).toHaveLength(1);
  addresses = ["10.0.0.3"];
  await eventually(() => published.length === 2);
  expect(published).toEqual(expected);
});

it("begins empty where nothing is known, and recovers", async () => {
  let up = false;
  const { published } = resolve("STRICT_DNS", (...args) =>
    up ? Promise.resolve([{ address: "10.0.0.1" }]) : down(...args),
  );
  await eventually(() => published.length === 1);
  up = true;
  await eventually(() => published.length === 2);
  expect(published).toEqual([[], ["10.0.0.1"]]);
});

it("new settings keep the addresses while the name server is away", async () => {
  const first = resolve("STRICT_DNS", async () => [{ address: "10.0.0.1" }]);
  await eventually(() => first.published.length === 1);
  const second = resolve("STRICT_DNS", down, first.resolver.known);
  await eventually(() => second.published.length === 1);
  expect(second.published).toEqual([["10.0.0.1"]]);
});

it("a cluster that is configured anew while the name server is away keeps its endpoints", async () => {
  const socket_address = { address: "svc.test", port_value: 80 };
  const cluster = (connect_timeout: string) =>
    clusterFrom({
      name: "c",
      type: "STRICT_DNS",
      connect_timeout,
      dns_refresh_rate: "0.005s",
      load_assignment: {
        cluster_name: "c",
        endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address } } }] }],
      },
    });
  const { plane, stats } = await fixtures.plane({});
  plane.setCluster(cluster("1s"));
  const changes = () => stats.counter("cluster.c.membership_change").value;
  await eventually(() => changes() === 1);
  system.lookup = () => Promise.reject(new Error("SERVFAIL"));
  plane.setCluster(cluster("2s"));
  await eventually(() => changes() === 2);
  expect(plane.clusterMap.get("c")?.allEndpoints.map(({ config }) => config.address)).toEqual(["10.0.0.1"]);
});
