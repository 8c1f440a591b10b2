import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSink } from "./access-log-sink.ts";
import { type ProxyFeatures, proxyContender, proxyPrograms } from "./envoy-bootstrap.ts";
import type { MutualTlsUpstream } from "./http1-upstream.ts";
import type { Contender } from "./turns.ts";

export interface Setting {
  root: string;
  folder: string;
  upstream: number;
  /** The same upstream for who shows a certificate, and the one to show. */
  mutualTls: MutualTlsUpstream;
  envoy: string | undefined;
  freePort(): Promise<number>;
}

/** What stands behind a program's name, and is asked of both. */
export const suffixes = { plain: "", als: ", ALS", mesh: ", ALS, fault, CORS", tls: ", ALS, mutual TLS" } as const;

/** Proxies of HTTP/1.1 in front of the upstream, with one worker each. */
export async function contenders(setting: Setting): Promise<Contender[]> {
  const { root, folder, upstream, mutualTls, envoy, freePort } = setting;
  const collector = await startSink();
  const variants: [suffix: string, features: Partial<ProxyFeatures>][] = [
    [suffixes.plain, {}],
    [suffixes.als, { collector }],
    [suffixes.mesh, { collector, meshFilters: true }],
    [suffixes.tls, { collector, upstream: mutualTls.port, certificate: mutualTls.certificate }],
  ];
  const proxies: Contender[] = [];
  for (const program of proxyPrograms(root, envoy)) {
    for (const [suffix, features] of variants) {
      const ports = { port: await freePort(), admin: await freePort() };
      proxies.push(proxyContender(folder, program, suffix, { ...ports, upstream, ...features }));
    }
  }
  return [await haproxy(setting), await nginx(setting), ...proxies, await nodeHttp(setting)];
}

async function haproxy({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server s1 127.0.0.1:${upstream}
`,
  );
  return {
    name: `HAProxy ${versionOf("haproxy", ["-v"])}`,
    port,
    command: ["haproxy", "-f", file, "-db"],
    ...missing("haproxy"),
  };
}

async function nginx({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "proxy.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/proxy.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream u { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
  );
  return {
    name: `nginx ${versionOf("nginx", ["-v"])}`,
    port,
    command: ["nginx", "-c", file, "-p", folder],
    ...missing("nginx"),
  };
}

async function nodeHttp({ folder, upstream, freePort }: Setting): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, "node-http.mjs");
  writeFileSync(
    file,
    `import { Agent, createServer, request } from "node:http";
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
createServer((req, res) => {
  const out = request({ host: "127.0.0.1", port: ${upstream}, method: req.method, path: req.url, headers: req.headers, agent }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  out.on("error", () => res.writeHead(502).end());
  req.pipe(out);
}).listen(${port}, "127.0.0.1");`,
  );
  return { name: "node:http", port, command: [process.execPath, file] };
}

function versionOf(tool: string, args: string[]): string {
  try {
    const text = execFileSync("sh", ["-c", `${tool} ${args.join(" ")} 2>&1`], { encoding: "utf8" });
    return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "";
  } catch {
    return "";
  }
}

const missing = (tool: string): { missing?: string } =>
  versionOf(tool, ["-v"]) === "" ? { missing: `no ${tool}` } : {};
