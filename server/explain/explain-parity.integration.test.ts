import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { fractionsFrom } from "../lib/testing/random.ts";
import { clusterFrom, Fixtures, listenerFrom, listenerJson, staticCluster } from "../sidecar/test-plane.ts";
import { TypeUrl } from "../xds/types.ts";
import { resourcesOfDump } from "./config-dump.ts";
import { type EncodedResource, type Holdings, holdingsOf } from "./holdings.ts";
import { outboundListener } from "./listeners.ts";
import type { ExplainRequest } from "./request.ts";
import { type GeneratedRequest, rbacFilters, requests, virtualHosts } from "./testing/generate.ts";
import { walk } from "./walk.ts";

// Generated config and generated requests, through the bundled sidecar and through a real Envoy: what they logged is what was explained, of each request.

const envoy = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../.build/envoy/envoy/_bin/envoy");
const hasEnvoy = existsSync(envoy);
if (!hasEnvoy && process.env.CI) throw new Error(`no Envoy at ${envoy}`);

const seeds = [1, 2, 3, 4];
const perSeed = 250;
const fixtures = new Fixtures();
const folder = mkdtempSync(join(tmpdir(), "explain-"));

/** What a proxy said of one request. */
interface Logged {
  route: string;
  cluster: string;
  details: string;
}

interface Case {
  options: { hosts: JsonValue[]; clusters: JsonValue[]; filters: JsonValue[]; manager: JsonObject };
  asked: GeneratedRequest[];
  envoyPort: number;
}

const cases = new Map<number, Case>();
/** How the walks ended. */
const ends = new Set<string>();
let child: ChildProcess | undefined;
let adminPort = 0;
const logPath = join(folder, "access.log");

beforeAll(async () => {
  const upstream = await fixtures.http((_, response) => response.end("ok"));
  const clusters = [staticCluster("one", [upstream]), staticCluster("two", [upstream])];
  for (const seed of seeds) {
    const random = fractionsFrom(seed);
    const options = {
      hosts: virtualHosts(random),
      clusters,
      // Every other without, so that routes and not refusals are what is looked at.
      filters: seed % 2 === 0 ? rbacFilters(random) : [],
      manager: { normalize_path: seed % 2 === 1, merge_slashes: seed === 3, strip_any_host_port: seed === 4 },
    };
    cases.set(seed, { options, asked: requests(random, perSeed), envoyPort: await freePort() });
  }
  if (!hasEnvoy) return;
  adminPort = await freePort();
  const listeners = [...cases].map(([seed, { options, envoyPort }]) => ({
    ...listenerJson({
      ...options,
      manager: { ...options.manager, access_log: [fileLog], delayed_close_timeout: "0s" },
    }),
    name: `seed-${seed}`,
    address: { socket_address: { address: "127.0.0.1", port_value: envoyPort } },
  }));
  const path = join(folder, "envoy.json");
  const admin = { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } };
  writeFileSync(path, JSON.stringify({ admin, static_resources: { listeners, clusters } }));
  const args = [
    "-c",
    path,
    "-l",
    "error",
    "--concurrency",
    "1",
    "--disable-hot-restart",
    "--file-flush-interval-msec",
    "50",
  ];
  child = spawn(envoy, args, { stdio: ["ignore", "ignore", "inherit"] });
  await until(
    () =>
      fetch(`http://127.0.0.1:${adminPort}/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    "Envoy is ready",
  );
}, 60_000);

afterAll(async () => {
  if (child) {
    const gone = new Promise((done) => child?.once("exit", done));
    child.kill();
    await gone;
  }
  fixtures.close();
  rmSync(folder, { recursive: true, force: true });
});

const fileLog: JsonObject = {
  name: "envoy.access_loggers.file",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
    path: logPath,
    log_format: {
      json_format: {
        id: "%REQ(x-test)%",
        route: "%ROUTE_NAME%",
        cluster: "%UPSTREAM_CLUSTER_RAW%",
        details: "%RESPONSE_CODE_DETAILS%",
      },
    },
  },
};

describe.each(seeds)("seed %i", (seed) => {
  it("explains what the bundled sidecar did", async () => {
    const { options, asked } = caseOf(seed);
    const plane = await fixtures.plane(options);
    await send(plane.port, seed, asked);
    const logged = new Map(
      plane.records.map((record) => [
        idOf(record.requestHeaders),
        { route: record.routeName, cluster: record.routedCluster, details: record.responseCodeDetails },
      ]),
    );
    expect(logged.size).toBe(perSeed);
    compare(asked, seed, logged, holdingsOf(encoded({ ...options }, plane.port)), plane.port);
  }, 60_000);

  it.runIf(hasEnvoy)(
    "explains what a real Envoy did, from its own config dump",
    async () => {
      const { asked, envoyPort } = caseOf(seed);
      await send(envoyPort, seed, asked);
      const ids = asked.map((_, index) => `${seed}-${index}`);
      const logged = await until(() => {
        const lines = new Map(readLog().map(({ id, ...line }) => [id, line]));
        return ids.every((id) => lines.has(id)) && lines;
      }, "a line of each request");
      const dump = await (await fetch(`http://127.0.0.1:${adminPort}/config_dump?include_eds`)).json();
      compare(asked, seed, logged, holdingsOf(resourcesOfDump(dump as JsonValue)), envoyPort);
    },
    60_000,
  );
});

it("has met every way that there is", () => {
  const kinds = [
    "open forwarded",
    "open answered",
    "open redirected",
    "open no-route",
    "open no-cluster",
    "guarded denied",
    "guarded forwarded",
  ];
  expect([...ends]).toEqual(expect.arrayContaining(kinds));
});

function caseOf(seed: number): Case {
  const found = cases.get(seed);
  if (found === undefined) throw new Error(`no case ${seed}`);
  return found;
}

function encoded({ clusters, ...options }: Case["options"], port: number): EncodedResource[] {
  const listener = listenerFrom({
    ...listenerJson(options),
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
  });
  return [
    { typeUrl: TypeUrl.listener, name: "test", value: toBinary(ListenerSchema, listener) },
    ...clusters.map((json) => {
      const cluster = clusterFrom(json);
      return { typeUrl: TypeUrl.cluster, name: cluster.name, value: toBinary(ClusterSchema, cluster) };
    }),
  ];
}

function compare(
  asked: readonly GeneratedRequest[],
  seed: number,
  logged: ReadonlyMap<string, Logged>,
  holdings: Holdings,
  port: number,
): void {
  for (const [index, request] of asked.entries()) {
    const said = logged.get(`${seed}-${index}`);
    const walked = walk(holdings, outboundListener(holdings, explained(request, port)), explained(request, port));
    const { end, routes, clusters } = walked;
    const about = JSON.stringify({ seed, request, walked: { end, virtualHost: walked.virtualHost, routes } });
    const taken = routes.find(({ verdict }) => verdict === "taken")?.name ?? "";
    ends.add(`${seed % 2 === 0 ? "guarded" : "open"} ${end.kind}`);
    expect(
      routes.every(({ verdict }) => verdict !== "unknown"),
      about,
    ).toBe(true);
    expect(taken, about).toBe(said?.route === "-" || said?.route === null ? "" : said?.route);
    if (end.kind === "denied") expect(said?.details, about).toBe(end.details);
    else if (end.kind === "forwarded") {
      expect(said?.details, about).toBe("via_upstream");
      expect(
        clusters.map(({ name }) => name),
        about,
      ).toContain(said?.cluster);
    } else expect(said?.details, about).toBe(end.details);
  }
}

const explained = ({ authority, path, method, headers }: GeneratedRequest, port: number): ExplainRequest => ({
  kind: "http",
  method,
  scheme: "http",
  authority,
  path,
  headers,
  host: "127.0.0.1",
  port,
  tls: undefined,
  identity: "",
  remoteAddress: "127.0.0.1",
  token: undefined,
  nowSec: 0,
});

/** One after another on a connection each, raw: an HTTP library would tidy paths and headers up. */
async function send(port: number, seed: number, asked: readonly GeneratedRequest[]): Promise<void> {
  for (const [index, { method, path, authority, headers }] of asked.entries()) {
    const client = await fixtures.client(port);
    const fields = Array.from(
      { length: headers.length / 2 },
      (_, i) => `${headers[2 * i]}: ${headers[2 * i + 1]}\r\n`,
    ).join("");
    client.send(
      `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\nx-test: ${seed}-${index}\r\nconnection: close\r\ncontent-length: 0\r\n${fields}\r\n`,
    );
    await client.untilEnd();
  }
}

const idOf = (headers: readonly string[]): string => headers[headers.indexOf("x-test") + 1] ?? "";

const readLog = (): (Logged & { id: string })[] =>
  existsSync(logPath)
    ? readFileSync(logPath, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    : [];

async function until<T>(probe: () => T | Promise<T>, what: string): Promise<Exclude<T, false>> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await probe();
    if (found !== false) return found as Exclude<T, false>;
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
