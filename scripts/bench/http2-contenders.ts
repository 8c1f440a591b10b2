import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** One HTTP/2 server or proxy, with one worker. It says its port on its first line, or `port` is known before. */
export interface Http2Contender {
  name: string;
  command: string[];
  port?: number;
}

const root = resolve(import.meta.dirname, "../..");
const codec = join(root, "server/sidecar/http2");
export const bodyBytes = 1024;

/** The bundled codec with nothing around it. */
export function limpidServer(folder: string): Http2Contender {
  const script = `import { answering, startServer } from "${codec}/testing/server.ts";
const body = Buffer.alloc(${bodyBytes}, "x");
const headers = ["content-type", "text/plain", "content-length", "${bodyBytes}", "server", "bench"];
console.log((await startServer(answering(headers, body), { maxConcurrentStreams: 100 })).port);`;
  return scripted(folder, "Limpid codec, server", script);
}

export function limpidProxy(folder: string, upstream: number): Http2Contender {
  const script = `import { startServer } from "${codec}/testing/server.ts";
import { forwarding } from "${codec}/testing/proxy.ts";
import { openClient } from "${codec}/testing/client.ts";
const up = await openClient(${upstream});
console.log((await startServer(forwarding(() => up.connection))).port);`;
  return scripted(folder, "Limpid codec, proxy", script);
}

export function nodeServer(folder: string): Http2Contender {
  const script = `import { createServer } from "node:http2";
const body = Buffer.alloc(${bodyBytes}, "x");
const server = createServer();
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": ${bodyBytes}, server: "bench" });
  stream.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  return scripted(folder, "node:http2, server", script);
}

export function nodeProxy(folder: string, upstream: number): Http2Contender {
  const script = `import { connect, createServer } from "node:http2";
const up = connect("http://127.0.0.1:${upstream}");
const server = createServer();
server.on("stream", (down, headers, flags) => {
  down.on("error", () => {});
  const stream = up.request(headers, { endStream: (flags & 1) !== 0 });
  stream.on("error", () => down.close(2));
  stream.on("response", (head) => { if (!down.destroyed) { down.respond(head); stream.pipe(down); } });
  if ((flags & 1) === 0) down.pipe(stream);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  return scripted(folder, "node:http2, proxy", script);
}

/** Envoy with h2c in; without `upstream` it answers itself. */
export function envoyHttp2(
  folder: string,
  binary: string,
  port: number,
  admin: number,
  upstream?: number,
): Http2Contender {
  const name = upstream === undefined ? "Envoy, server" : "Envoy, proxy";
  const file = join(folder, `envoy-${upstream ?? "direct"}.json`);
  writeFileSync(file, JSON.stringify(bootstrap(port, admin, upstream)));
  const options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "off"];
  return { name, port, command: [binary, "-c", file, ...options] };
}

function scripted(folder: string, name: string, script: string): Http2Contender {
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  writeFileSync(file, script);
  return { name, command: [process.execPath, file] };
}

function bootstrap(port: number, admin: number, upstream: number | undefined) {
  const address = (value: number) => ({ socket_address: { address: "127.0.0.1", port_value: value } });
  const type = (name: string) => ({ "@type": `type.googleapis.com/${name}` });
  const action =
    upstream === undefined
      ? { direct_response: { status: 200, body: { inline_string: "x".repeat(bodyBytes) } } }
      : { route: { cluster: "up", timeout: "0s" } };
  const manager = {
    ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "bench",
    codec_type: "HTTP2",
    route_config: {
      name: "bench",
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, ...action }] }],
    },
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: type("envoy.extensions.filters.http.router.v3.Router") },
    ],
  };
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(port),
          filter_chains: [
            { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] },
          ],
        },
      ],
      clusters: [
        {
          name: "up",
          type: "STATIC",
          load_assignment: {
            cluster_name: "up",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream ?? 1) } }] }],
          },
          typed_extension_protocol_options: {
            [options]: { ...type(options), explicit_http_config: { http2_protocol_options: {} } },
          },
        },
      ],
    },
  };
}
