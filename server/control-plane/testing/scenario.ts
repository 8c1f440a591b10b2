import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { controlPlaneIdentity } from "../../ca/control-plane-identity.ts";
import { type LiveAuthority, openLiveAuthority } from "../../ca/live-authority.ts";
import { spiffeIdOf, tempFolder } from "../../ca/testing/tls.ts";
import { writeCertificate } from "../../ca/write-certificate.ts";
import { parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { type ConfigObject, keyOf } from "../../config/object.ts";
import type { ConfigStore, Write } from "../../config/store.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { type Envoy, envoyMissing, envoyPath, freePort, startEnvoy } from "../../xds/testing/envoy.ts";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "../control-plane.ts";

/** Both kinds of proxy, by the program that is started with Envoy's flags. */
export const proxyKinds = [
  { kind: "Envoy", command: [envoyPath], missing: envoyMissing },
  {
    kind: "the bundled sidecar",
    command: [process.execPath, resolve(import.meta.dirname, "../../cli/main.ts"), "sidecar"],
    missing: false,
  },
] as const;
export type ProxyKind = (typeof proxyKinds)[number];

export interface ScenarioProxy {
  id: string;
  serviceAccount?: string;
  metadata: Record<string, unknown>;
}

/** A control plane with one real proxy on it, that came with a certificate. */
export interface Scenario {
  readonly store: MemoryConfigStore;
  readonly plane: ControlPlane;
  readonly proxy: Envoy;
  readonly authority: LiveAuthority;
  /** The authority's. */
  readonly authorityFolder: string;
  /** Writes objects, and waits until the proxy has answered for them. Rejects with what it refused. */
  apply(yaml: string): Promise<void>;
  /** The same for what is deleted. */
  remove(objects: readonly ConfigObject[]): Promise<void>;
}

export type Closers = (() => unknown)[];

export async function startScenario(
  { command }: Pick<ProxyKind, "command">,
  { id, serviceAccount = "default", metadata }: ScenarioProxy,
  closers: Closers,
  options: Partial<ControlPlaneOptions> = {},
  /** What writes go through on their way into the store. */
  through: (store: ConfigStore) => ConfigStore = (store) => store,
): Promise<Scenario> {
  const [folder, clean] = await tempFolder();
  closers.push(clean);
  const store = new MemoryConfigStore();
  const clock = systemClock;
  const trustDomain = "cluster.local";
  const authority = await openLiveAuthority(join(folder, "ca"), { clock, trustDomain, logger: silentLogger });
  closers.push(() => authority.stop());
  const plane = createControlPlane({
    store,
    xdsPort: 0,
    xdsTls: { port: 0 },
    authority,
    clock,
    logger: silentLogger,
    ...options,
  });
  await plane.start();
  closers.push(() => plane.stop());
  const namespace = id.split("~")[2]?.split(".").at(-1) ?? "default";
  const spiffeUri = spiffeIdOf(serviceAccount, namespace);
  const files = await writeCertificate(join(folder, "run"), await authority.issue({ spiffeUri, ttlSec: 3600 }));
  const proxy = await startEnvoy({
    command,
    id,
    metadata: { INTERCEPTION_MODE: "NONE", SERVICE_ACCOUNT: serviceAccount, ...metadata },
    xdsPort: plane.addresses().xdsTls ?? 0,
    api: "DELTA_GRPC",
    staticClusters: ["limpid-collector"],
    tls: { ...files, root: join(folder, "ca/root-cert.pem"), serverUri: controlPlaneIdentity(trustDomain) },
  });
  closers.push(() => proxy.stop());
  const writer = through(store);
  const commit = async (writes: Write[]) => {
    if (writes.length === 0) return;
    const { revision } = await writer.commit(writes, "test");
    await answered(plane, revision);
  };
  return {
    store,
    plane,
    proxy,
    authority,
    authorityFolder: join(folder, "ca"),
    async apply(yaml) {
      const parsed = parseDocuments(yaml);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
      await commit(parsed.value.map((object) => ({ op: "put", object })));
    },
    remove: (objects) => commit(objects.map((object) => ({ op: "delete", key: keyOf(object) }))),
  };
}

async function answered(plane: ControlPlane, revision: number): Promise<void> {
  const status = await plane.pushes.wait(revision, 20_000);
  const refused = status?.proxies.filter(({ state }) => state === "nacked") ?? [];
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
}

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** An application that answers 200 and says what it saw. */
export async function startApplication(closers: Closers, name = "application"): Promise<number> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    const seen = { name, method: incoming.method, path: incoming.url, headers: incoming.headers };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(seen));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** What the application saw, when it was the one who answered. */
  seen: SeenRequest | undefined;
}

/** One request on a connection of its own; status 0 with the error's name where there is no answer. */
export const call = (
  port: number,
  {
    path = "/",
    method = "GET",
    headers = {},
  }: { path?: string; method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  new Promise((done) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        const isOwn = status === 200 && response.headers["content-type"] === "application/json";
        done({ status, headers: response.headers, body, seen: isOwn ? (JSON.parse(body) as SeenRequest) : undefined });
      });
    });
    sent.on("error", (error) => done({ status: 0, headers: {}, body: String(error), seen: undefined }));
    sent.end();
  });

export { freePort };
