import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ProxyResources } from "../resources.ts";
import { resourcesToJson } from "./cases.ts";

/** Undefined when there is none on this machine. */
export function envoyBinary(): string | undefined {
  const path = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../../.build/envoy/envoy/_bin/envoy");
  return existsSync(path) ? path : undefined;
}

/** What of a message's JSON is rewritten here. */
interface StaticListener {
  filterChains: { filters: { typedConfig: HttpConnectionManager }[] }[];
}
interface HttpConnectionManager {
  rds?: { routeConfigName: string };
  routeConfig?: { name: string; virtualHosts: { domains: string[] }[] };
}
interface StaticCluster {
  name: string;
  type: string;
  edsClusterConfig?: unknown;
  loadAssignment?: unknown;
}
export interface Bootstrap {
  node: { id: string; cluster: string };
  admin: { address: { socketAddress: { address: string; portValue: number } } };
  staticResources: { listeners: StaticListener[]; clusters: StaticCluster[]; secrets: unknown[] };
}

/** A bootstrap that holds the resources themselves, with nobody to ask: routes inside listeners, endpoints inside clusters, secrets beside them. */
export function staticBootstrap(resources: ProxyResources, adminPort: number): Bootstrap {
  const json = withoutSds(resourcesToJson(resources));
  const routes = json.routes as unknown as NonNullable<HttpConnectionManager["routeConfig"]>[];
  const endpoints = json.endpoints as unknown as { clusterName: string }[];
  const listeners = json.listeners as unknown as StaticListener[];
  const clusters = json.clusters as unknown as StaticCluster[];
  for (const { typedConfig } of listeners.flatMap((it) => it.filterChains).flatMap((chain) => chain.filters)) {
    const { rds } = typedConfig;
    if (!rds) continue;
    typedConfig.routeConfig = routes.find((it) => it.name === rds.routeConfigName);
    delete typedConfig.rds;
  }
  for (const cluster of clusters.filter((it) => it.type === "EDS")) {
    cluster.type = "STATIC";
    cluster.loadAssignment = endpoints.find((it) => it.clusterName === cluster.name);
    delete cluster.edsClusterConfig;
  }
  return {
    node: { id: "test", cluster: "test" },
    admin: { address: { socketAddress: { address: "127.0.0.1", portValue: adminPort } } },
    staticResources: {
      listeners,
      clusters: [...clusters, collector],
      secrets: secrets(JSON.stringify(json)),
    },
  };
}

/** The listeners and clusters as a stream would bring them, beside the cluster that is asked for what they refer to. */
export function referringBootstrap(resources: ProxyResources, xdsCluster: string): Bootstrap {
  const { listeners, clusters } = resourcesToJson(resources);
  const bootstrap = staticBootstrap(resources, 0);
  return {
    ...bootstrap,
    staticResources: {
      listeners: listeners as unknown as StaticListener[],
      clusters: [...(clusters as unknown as StaticCluster[]), collector, { ...collector, name: xdsCluster }],
      secrets: [],
    },
  };
}

/** A copy in which a secret is only named, and files that are not here are replaced by their contents. */
const withoutSds = (json: ReturnType<typeof resourcesToJson>): ReturnType<typeof resourcesToJson> =>
  JSON.parse(
    JSON.stringify(json, (key, value) => {
      if (key === "sdsConfig" || (key === "crl" && isMissing(value))) return undefined;
      if (key === "trustedCa" && isMissing(value)) return testCertificate().certificateChain;
      return key === "tlsCertificates" && value.length > 0 ? [testCertificate()] : value;
    }),
  );

const isMissing = ({ filename }: { filename?: string }): boolean => filename !== undefined && !existsSync(filename);

/** A secret for each that the resources name, of the kind that it is used as; one whose name says so has an RSA key. */
function secrets(json: string): unknown[] {
  const named = (before: string) => new Set([...json.matchAll(new RegExp(before + name, "g"))].map(([, it]) => it));
  const certificates = [...named(`"tlsCertificateSdsSecretConfigs":\\[`), ...named(`},`)];
  const trusted = named(`"validationContextSdsSecretConfig":`);
  return [
    ...[...new Set(certificates)].map((it = "") => ({
      name: it,
      tlsCertificate: testCertificate(it.includes("rsa") ? rsaKey : ecKey),
    })),
    ...[...trusted].map((it) => ({
      name: it,
      validationContext: { trustedCa: testCertificate().certificateChain },
    })),
  ];
}
const name = `{"name":"(default|ROOTCA|kubernetes://[^"]+)"}`;

const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const rsaKey = ["-newkey", "rsa:2048"];

/** Of its own authority, for a day, made with the `openssl` program. */
function testCertificate(newKey: readonly string[] = ecKey) {
  const folder = mkdtempSync(join(tmpdir(), "limpid-certificate-"));
  try {
    const [key, chain] = [join(folder, "key.pem"), join(folder, "chain.pem")];
    const args = [
      "req",
      "-x509",
      ...newKey,
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=test",
      "-keyout",
      key,
      "-out",
      chain,
    ];
    execFileSync("openssl", args, { stdio: "ignore" });
    const inline = (path: string) => ({ inlineString: readFileSync(path, "utf8") });
    return { certificateChain: inline(chain), privateKey: inline(key) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nobody listens there: records are dropped. */
const collector = {
  name: "limpid-collector",
  type: "STATIC",
  connectTimeout: "1s",
  typedExtensionProtocolOptions: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
  loadAssignment: { clusterName: "limpid-collector", endpoints: [] },
};

/** What Envoy says against the bootstrap; empty when it takes it. */
export async function validate(binary: string, bootstrap: Bootstrap): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-envoy-"));
  try {
    const path = join(folder, "bootstrap.json");
    writeFileSync(path, JSON.stringify(bootstrap));
    const envoy = spawn(binary, ["--mode", "validate", "-c", path, "-l", "error"]);
    const output = collect(envoy);
    const code = await new Promise((done) => envoy.once("close", done));
    return code === 0 ? "" : output();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface RunningEnvoy {
  stop(): Promise<void>;
}

/** Resolves when Envoy is live; throws with what it said when it exits before. */
export async function startEnvoy(binary: string, bootstrap: Bootstrap): Promise<RunningEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-envoy-"));
  const path = join(folder, "bootstrap.json");
  writeFileSync(path, JSON.stringify(bootstrap));
  const envoy = spawn(binary, ["-c", path, "-l", "error", "--concurrency", "1", "--disable-hot-restart"]);
  const output = collect(envoy);
  let exited = false;
  const exit = new Promise<void>((done) =>
    envoy.once("close", () => {
      exited = true;
      done();
    }),
  );
  const stop = async () => {
    envoy.kill("SIGKILL");
    await exit;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 30_000;
  const { portValue } = bootstrap.admin.address.socketAddress;
  while (!(await isReady(portValue))) {
    if (exited || Date.now() > deadline) {
      await stop();
      throw new Error(`Envoy did not get ready: ${output()}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return { stop };
}

function collect(envoy: ChildProcess): () => string {
  let text = "";
  for (const stream of [envoy.stdout, envoy.stderr]) {
    stream?.on("data", (chunk) => {
      if (text.length < 1e6) text += chunk;
    });
  }
  return () => text;
}

const isReady = (adminPort: number): Promise<boolean> =>
  new Promise((done) => {
    get({ port: adminPort, host: "127.0.0.1", path: "/ready" }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    }).on("error", () => done(false));
  });

/** Free at the time of asking, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (!address || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
