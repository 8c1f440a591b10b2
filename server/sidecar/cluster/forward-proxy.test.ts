import type { AddressInfo } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { flagNames } from "../response-flags.ts";
import { TestAuthority } from "../secret/testing/certificates.ts";
import { Stats } from "../stats.ts";
import {
  clusterFrom,
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  type PlaneOptions,
  staticCluster,
  toCluster,
} from "../test-plane.ts";
import { trusting, upstreamTls } from "../tls/testing/contexts.ts";
import { lookupName } from "./dns.ts";
import { compileDnsCache, DnsCache } from "./dns-cache.ts";
import { splitHost } from "./host-finder.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const cache = (fields: JsonObject = {}): JsonObject => ({ name: "names", dns_lookup_family: "V4_ONLY", ...fields });
const forwarding = (name: string, fields: JsonObject = {}, cacheFields: JsonObject = {}): JsonObject => ({
  name,
  connect_timeout: "1s",
  lb_policy: "CLUSTER_PROVIDED",
  cluster_type: {
    name: "envoy.clusters.dynamic_forward_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
      dns_cache_config: cache(cacheFields),
    },
  },
  ...fields,
});

/** Knows `*.test`, at loopback; counts what it was asked. */
function names() {
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    if (!name.endsWith(".test")) throw Object.assign(new Error("none"), { code: "ENOTFOUND" });
    return [{ address: "127.0.0.1" }];
  };
  return { asked, lookup };
}

const start = (options: PlaneOptions) => fixtures.plane(options);
const ask = async (port: number, host: string, headers = "") => {
  const client = await fixtures.client(port);
  return client.send(`GET / HTTP/1.1\r\nhost: ${host}\r\n${headers}connection: close\r\n\r\n`).untilEnd();
};

describe("a forward proxy", () => {
  it("looks up the host of each request once, and sends it there", async () => {
    const port = await fixtures.http((request, response) => void response.end(`for ${request.headers.host}`));
    const { asked, lookup } = names();
    const test = await start({ clusters: [forwarding("any")], routes: [toCluster("any")], lookup });
    const answers = await Promise.all(["a.test", "b.test", "a.test"].map((host) => ask(test.port, `${host}:${port}`)));
    expect(answers.map((text) => /for \S+$/.exec(text)?.[0])).toEqual([
      `for a.test:${port}`,
      `for b.test:${port}`,
      `for a.test:${port}`,
    ]);
    expect(asked.sort()).toEqual(["a.test", "b.test"]);
    expect(await ask(test.port, `127.0.0.1:${port}`)).toContain(`for 127.0.0.1:${port}`);
    expect(asked).toHaveLength(2);
    expect(test.gauge("dns_cache.names.num_hosts")).toBe(3);
    expect(test.lastRecord).toMatchObject({ upstreamRemotePort: port, upstreamCluster: "any" });
    // Two names at one address are two hosts, with connections of their own.
    expect(test.plane.clusterMap.get("any")?.allEndpoints).toHaveLength(3);
  });

  it("503 UH where a name cannot be resolved, and no question twice while that is known", async () => {
    const { asked, lookup } = names();
    const test = await start({ clusters: [forwarding("any")], routes: [toCluster("any")], lookup });
    for (let i = 0; i < 2; i++) expect(await ask(test.port, "nowhere.invalid")).toMatch(/^HTTP\/1.1 503/);
    await eventually(() => test.records.length === 2);
    expect(flagNames(test.lastRecord.responseFlags)).toEqual(["UH"]);
    expect(test.lastRecord.responseCodeDetails).toBe("dns_resolution_failure{ENOTFOUND}");
    expect(asked).toHaveLength(1);
  });

  it("takes so many names and no more", async () => {
    const port = await fixtures.http((_, response) => void response.end());
    const { lookup } = names();
    const clusters = [forwarding("any", {}, { max_hosts: 1 })];
    const test = await start({ clusters, routes: [toCluster("any")], lookup });
    expect(await ask(test.port, `a.test:${port}`)).toContain("200");
    expect(await ask(test.port, `b.test:${port}`)).toContain("503");
    expect(test.counter("dns_cache.names.host_overflow")).toBe(1);
    expect(test.lastRecord.responseCodeDetails).toBe("dns_cache_overflow");
  });

  it("a client that goes while its name is looked up leaves nothing behind", async () => {
    let answer: (found: { address: string }[]) => void = () => {};
    const lookup = () => new Promise<{ address: string }[]>((resolve) => (answer = resolve));
    const test = await start({ clusters: [forwarding("any")], routes: [toCluster("any")], lookup });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nhost: a.test:1\r\n\r\n");
    await eventually(() => test.counter("dns_cache.names.dns_query_attempt") === 1);
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    answer([{ address: "127.0.0.1" }]);
    await eventually(() => test.counter("dns_cache.names.dns_query_success") === 1);
    expect(test.plane.clusterMap.get("any")?.activeRequests).toBe(0);
    expect(test.counter("cluster.any.upstream_cx_total")).toBe(0);
  });

  it("is no way for mirrors, and refuses another cache of the same name", async () => {
    const test = await start({ clusters: [forwarding("any")] });
    expect(test.plane.clusterMap.get("any")?.pick()).toBeUndefined();
    expect(test.plane.setCluster(clusterFrom(forwarding("other", {}, { max_hosts: 7 })))).toEqual([
      'cluster other: dns_cache_config: the cache "names" is there already, with other settings',
    ]);
    expect(test.plane.setCluster(clusterFrom(forwarding("other")))).toEqual([]);
    expect(test.plane.setCluster(clusterFrom({ ...forwarding("bad"), lb_policy: "ROUND_ROBIN" }))).toEqual([
      "cluster bad: lb_policy: must be CLUSTER_PROVIDED, not ROUND_ROBIN, for a cluster that finds its own hosts",
    ]);
  });
});

it("TLS connections without an end here go where their hello says, to the port given", async () => {
  const ca = await TestAuthority.create();
  const { key, chain: cert } = await ca.issue({ dns: ["a.test"] });
  const upstream = createTlsServer({ key, cert }, (socket) => {
    socket.end(`hello ${socket.servername}`);
  });
  fixtures.onClose(() => void upstream.close());
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", () => resolve()));
  const { port } = upstream.address() as AddressInfo;
  const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.${name}`;
  const { lookup } = names();
  const test = await start({
    clusters: [forwarding("any")],
    lookup,
    listener: {
      listener_filters: [
        {
          name: "tls",
          typed_config: { "@type": type("listener.tls_inspector.v3.TlsInspector") },
        },
      ],
      filter_chains: [
        {
          filter_chain_match: { transport_protocol: "tls" },
          filters: [
            {
              name: "sni",
              typed_config: {
                "@type": type("network.sni_dynamic_forward_proxy.v3.FilterConfig"),
                dns_cache_config: cache(),
                port_value: port,
              },
            },
            {
              name: "tcp",
              typed_config: { "@type": type("network.tcp_proxy.v3.TcpProxy"), stat_prefix: "t", cluster: "any" },
            },
          ],
        },
      ],
    },
  });
  const text = await new Promise<string>((resolve, reject) => {
    let received = "";
    const socket = connectTls({ port: test.port, host: "127.0.0.1", servername: "a.test", ca: ca.pem });
    socket.on("data", (bytes) => {
      received += bytes;
    });
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
  });
  expect(text).toBe("hello a.test");
});

it("TLS from here asks for the host of each request, and wants it in the certificate", async () => {
  const ca = await TestAuthority.create();
  const { key, chain: cert } = await ca.issue({ dns: ["a.test"] });
  const asked: (string | false | null)[] = [];
  const upstream = createTlsServer({ key, cert }, (socket) => {
    asked.push(socket.servername);
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"));
  });
  fixtures.onClose(() => void upstream.close());
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", () => resolve()));
  const { port } = upstream.address() as AddressInfo;
  const tls = upstreamTls(trusting(ca.pem), { sni: "" });
  const { lookup } = names();
  const test = await start({ clusters: [forwarding("any", tls)], routes: [toCluster("any")], lookup });
  expect(await ask(test.port, `a.test:${port}`)).toMatch(/ok$/);
  expect(await ask(test.port, `b.test:${port}`)).toContain("503");
  await eventually(() => test.records.length === 2);
  expect(test.lastRecord.upstreamTransportFailureReason).toContain("SAN matcher");
  expect(asked).toEqual(["a.test"]);
});

describe("an original destination", () => {
  const original = (fields: JsonObject = {}): JsonObject => ({
    name: "original",
    type: "ORIGINAL_DST",
    connect_timeout: "1s",
    lb_policy: "CLUSTER_PROVIDED",
    ...fields,
  });

  it("is what a header says, where one may", async () => {
    const port = await fixtures.http((_, response) => void response.end("there"));
    const test = await start({
      clusters: [original({ original_dst_lb_config: { use_http_header: true } })],
      routes: [toCluster("original")],
    });
    const header = (value: string) => `x-envoy-original-dst-host: ${value}\r\n`;
    expect(await ask(test.port, "a", header(`127.0.0.1:${port}`))).toContain("there");
    expect(await ask(test.port, "a", header("a.test:80"))).toContain("503");
    expect(test.counter("cluster.original.original_dst_host_invalid")).toBe(1);
    expect(await ask(test.port, "a")).toContain("503");
  });

  it("is nowhere where nothing says it, and its hosts are forgotten", async () => {
    const port = await fixtures.http((_, response) => void response.end());
    const lb = { use_http_header: true, http_header_name: "x-to", upstream_port_override: port };
    const test = await start({
      clusters: [original({ original_dst_lb_config: lb, cleanup_interval: "0.05s" })],
      routes: [toCluster("original")],
    });
    expect(await ask(test.port, "a", "x-to: 127.0.0.1:1\r\n")).toContain("200");
    await eventually(() => test.gauge("cluster.original.membership_total") === 0);
  });
});

describe("the cache", () => {
  it("keeps names fresh while they are used, keeps what it knew, and forgets the others", async () => {
    let address: string | undefined = "10.0.0.1";
    let clock = 0;
    const config = { ...compileDnsCache({ name: "n" } as never), refreshMs: 5, failureRefreshMs: 5, ttlMs: 1000 };
    const lookup = async () => {
      if (address === undefined) throw new Error("away");
      return [{ address }];
    };
    const stats = new Stats();
    const dns = new DnsCache(config, stats, () => clock, lookup);
    fixtures.onClose(() => dns.close());
    const told: string[] = [];
    dns.follow((host, gone) => void told.push(gone ? "gone" : (host.address ?? "")));
    dns.find("a.test", 80, () => {});
    await eventually(() => told.length === 1);
    address = "10.0.0.2";
    await eventually(() => told.length === 2);
    address = undefined;
    await eventually(() => (stats.counters.get("dns_cache.n.dns_query_failure")?.value ?? 0) > 1);
    let found: string | undefined;
    dns.find("a.test", 80, (host) => (found = host.address));
    expect(found).toBe("10.0.0.2");
    clock = 1000;
    await eventually(() => told.length === 3);
    expect(told).toEqual(["10.0.0.1", "10.0.0.2", "gone"]);
  });
});

it("every name under localhost is this machine, whatever the system thinks", async () => {
  expect(await lookupName("any.localhost", { all: true, family: 4 })).toEqual([{ address: "127.0.0.1" }]);
  expect(await lookupName("localhost", { all: true, family: 6 })).toEqual([{ address: "::1" }]);
});

it.each<[string, string, number]>([
  ["a.test", "a.test", 80],
  ["A.test:81", "a.test", 81],
  ["[::1]:82", "::1", 82],
  ["[::1]", "::1", 80],
  ["::1", "::1", 80],
  ["a:99999", "a", 80],
])("%s is the host %s at %d", (text, name, port) => {
  expect(splitHost(text, 80)).toEqual({ name, port });
});

it("a listener keeps its other chains while one's filter is wrong", async () => {
  const test = await start({ clusters: [staticCluster("up", [])] });
  const json = listenerJson({
    listener: {
      filter_chains: [
        {
          filters: [
            {
              name: "sni",
              typed_config: {
                "@type":
                  "type.googleapis.com/envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
                dns_cache_config: cache(),
                port_value: 70_000,
              },
            },
            {
              name: "tcp",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                stat_prefix: "t",
                cluster: "up",
              },
            },
          ],
        },
      ],
    },
  });
  expect(test.plane.setListener(listenerFrom(json))).toEqual([
    "listener test: filter_chains[0].filters[0].typed_config.port_value: must be 1 to 65535, not 70000",
  ]);
});
