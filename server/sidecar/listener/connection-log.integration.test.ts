import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { compileFormat, renderText } from "../format/format.ts";
import { listenerJson, type PlaneOptions, staticCluster, toCluster } from "../test-plane.ts";
import { BesideEnvoy, envoyMissing } from "../testing/beside-envoy.ts";

// What a listener tells of its connections, through real Envoy and through our data path.

const both = new BesideEnvoy();
const folder = mkdtempSync(join(tmpdir(), "connection-log-"));
const fields = [
  "BYTES_RECEIVED",
  "BYTES_SENT",
  "RESPONSE_FLAGS",
  "RESPONSE_CODE",
  "UPSTREAM_CLUSTER",
  "RESPONSE_CODE_DETAILS",
];
const more = [
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "ACCESS_LOG_TYPE",
  "FILTER_CHAIN_NAME",
  "REQ(:METHOD)",
  "ROUTE_NAME",
];
const format = [...fields, ...more].map((operator) => `%${operator}%`).join(" ");
const file = (name: string) => join(folder, name);

/** Envoy's log of it goes to a file, ours to the records. */
function listening(name: string, options: PlaneOptions): PlaneOptions {
  const access_log = [
    {
      name,
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path: file(name),
        log_format: { text_format_source: { inline_string: `${format}\n` } },
      },
    },
  ];
  const { filter_chains } = listenerJson({ ...options, manager: { access_log: [] }, listener: {} });
  return { ...options, listener: { filter_chains: filter_chains as JsonValue, access_log, ...options.listener } };
}

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await both.fixtures.http((_, response) => void response.end("ok"));
  const echo = await both.fixtures.tcp((socket) => void socket.pipe(socket));
  const clusters = [staticCluster("up", [up]), staticCluster("echo", [echo])];
  const tcp = (chain: JsonObject): JsonObject => ({
    filter_chains: [
      {
        name: "bytes",
        filters: [
          {
            name: "envoy.filters.network.tcp_proxy",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
              stat_prefix: "t",
              cluster: "echo",
            },
          },
        ],
        ...chain,
      },
    ],
  });
  await both.start({
    http: listening("http", { clusters, routes: [toCluster("up")] }),
    tcp: listening("tcp", { clusters, listener: tcp({}) }),
    none: listening("none", { clusters, listener: tcp({ filter_chain_match: { destination_port: 1 } }) }),
  });
}, 90_000);

afterAll(() => {
  both.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;

describe.skipIf(envoyMissing)("a listener's access log, like Envoy", () => {
  it.each<[string, string[]]>([
    ["http", [get("/"), get("/again")]],
    ["tcp", ["hello", "more"]],
    ["none", ["x"]],
  ])("%s", async (name, texts) => {
    const { ours, envoyPort } = both.side(name);
    for (const port of [ours.port, envoyPort]) {
      const client = await both.fixtures.client(port);
      let before = 0;
      for (const text of texts) {
        client.send(text);
        const length = before;
        if (name !== "none") await client.until((received) => received.length > length && !received.endsWith("\r\n"));
        before = client.received.length;
      }
      client.socket.end();
      await client.untilEnd();
    }
    await vi.waitFor(() => expect(readFileSync(file(name), "utf8")).toContain("\n"), { timeout: 10_000 });
    await vi.waitFor(() => expect(ours.records.filter(({ ofListener }) => ofListener)).toHaveLength(1));
    const record = ours.records.find(({ ofListener }) => ofListener);
    if (record === undefined) throw new Error("no record");
    const line = readFileSync(file(name), "utf8").split("\n")[0];
    // How long a response is depends on the time that it took.
    const comparable = (text: string | undefined) => (name === "http" ? text?.replace(/^(\d+) \d{3}/, "$1 N") : text);
    expect(comparable(renderText(compileFormat(format), record, "-"))).toBe(comparable(line));
  });
});
