import { type Application, startApplication } from "./application.ts";
import { TestAuthority } from "./authority.ts";
import { type Backends, nodeIdOf, type ProxyNode } from "./bootstrap.ts";
import { type Answer, type Call, call, callMany } from "./call.ts";
import { Cleanups } from "./cleanups.ts";
import { type Collector, startCollector } from "./collector.ts";
import { TestControlPlane } from "./control-plane.ts";
import { freePorts } from "./ports.ts";
import { type ProxyKind, type ProxyProcess, startProxy } from "./proxy.ts";
import { startEcho, startHttp2 } from "./tcp.ts";
import { until } from "./until.ts";

type Applications = Record<"reviews-v1" | "reviews-v2" | "reviews-v3" | "ratings-v1", Application>;
type Parts = Awaited<ReturnType<typeof startParts>>;

/** A call as a scenario writes it: from the client's application, or from outside through the gateway. */
export type ScenarioCall = Omit<Call, "address" | "port" | "host"> & { host?: string; via?: "client" | "gateway" };

export const addresses = { client: "127.0.77.1", ratings: "127.0.77.2", gateway: "127.0.77.9" };

export interface ScenarioMeshOptions {
  /** Of `ratings` and the database; the kind of the others when unset. */
  serverKind?: ProxyKind;
  /** The client's proxy comes in plain text, and so without an identity. */
  clientInPlainText?: boolean;
}

/**
 * The whole set-up of a scenario on one kind of proxy: the real control plane, a client with its sidecar, `ratings` and a database behind a sidecar of their own,
 * `reviews` v1–v3 reached directly, a gateway, a collector.
 */
export class ScenarioMesh {
  readonly kind: ProxyKind;
  readonly authority: TestAuthority;
  readonly controlPlane: Parts["controlPlane"];
  readonly collector: Collector;
  readonly applications: Applications;
  readonly nodes: Parts["nodes"];
  readonly client: ProxyProcess;
  readonly server: ProxyProcess;
  readonly gateway: ProxyProcess;
  /** Services, workloads and a gateway without any rule. */
  readonly base: string;
  readonly ports: Parts["ports"];
  readonly #cleanups: Cleanups;

  private constructor(kind: ProxyKind, parts: Parts, cleanups: Cleanups) {
    this.kind = kind;
    this.authority = parts.authority;
    this.controlPlane = parts.controlPlane;
    this.collector = parts.collector;
    this.applications = parts.applications;
    this.nodes = parts.nodes;
    this.client = parts.client;
    this.server = parts.server;
    this.gateway = parts.gateway;
    this.base = parts.base;
    this.ports = parts.ports;
    this.#cleanups = cleanups;
  }

  /** `options` say what is not as in most scenarios. */
  static async start(kind: ProxyKind, options: ScenarioMeshOptions = {}): Promise<ScenarioMesh> {
    const cleanups = new Cleanups();
    try {
      return new ScenarioMesh(kind, await startParts(kind, cleanups, options), cleanups);
    } catch (error) {
      await cleanups.run();
      throw error;
    }
  }

  nodeId(which: "client" | "server" | "gateway"): string {
    return nodeIdOf(this.nodes[which]);
  }

  /** Applications behave and remember nothing; the config is the base and what is given. */
  async reset(...config: string[]): Promise<void> {
    for (const application of Object.values(this.applications)) application.reset();
    await this.controlPlane.apply(this.base, ...config);
  }

  call(one: ScenarioCall): Promise<Answer> {
    return call(this.#target(one));
  }

  callMany(count: number, one: ScenarioCall, connections?: number): Promise<Answer[]> {
    return callMany(count, this.#target(one), connections);
  }

  /** Past the client's proxy, in plain text. */
  callServer(one: Omit<ScenarioCall, "via">): Promise<Answer> {
    return call({ host: "ratings:9080", ...one, address: addresses.ratings, port: this.ports.ratings });
  }

  close(): Promise<void> {
    return this.#cleanups.run();
  }

  #target({ via = "client", host = "reviews:9080", ...rest }: ScenarioCall): Call {
    return via === "client"
      ? { ...rest, host, address: addresses.client, port: this.ports.outbound }
      : { ...rest, host, address: addresses.gateway, port: this.ports.gateway };
  }
}

async function startParts(
  kind: ProxyKind,
  cleanups: Cleanups,
  { serverKind = kind, clientInPlainText = false }: ScenarioMeshOptions,
) {
  const authority = await TestAuthority.create();
  cleanups.add(() => authority.remove());
  const controlPlane = new TestControlPlane({ authority: authority.authority });
  await controlPlane.start();
  cleanups.add(() => controlPlane.stop());
  const collector = await startCollector();
  cleanups.add(() => collector.close());
  const application = async (app: string, version: string) => {
    const started = await startApplication(app, version);
    cleanups.add(() => started.close());
    return started;
  };
  const applications = {
    "reviews-v1": await application("reviews", "v1"),
    "reviews-v2": await application("reviews", "v2"),
    "reviews-v3": await application("reviews", "v3"),
    "ratings-v1": await application("ratings", "v1"),
  };
  const database = await startEcho("db");
  cleanups.add(() => database.close());
  const http2 = await startHttp2();
  cleanups.add(() => http2.close());
  const [outbound = 0] = await freePorts(1, addresses.client);
  const [ratings = 0, databasePort = 0, http2Port = 0] = await freePorts(3, addresses.ratings);
  const [gatewayPort = 0] = await freePorts(1, addresses.gateway);
  const base = baseConfig(applications, ratings);
  await controlPlane.apply(base, gatewayConfig(gatewayPort));
  const nodes = nodesOf({
    outbound,
    ingress: {
      [ratings]: `127.0.0.1:${applications["ratings-v1"].port}`,
      [databasePort]: `127.0.0.1:${database.port}`,
      [http2Port]: `127.0.0.1:${http2.port}`,
    },
  });
  const start = async (node: ProxyNode, itsKind: ProxyKind, its: Backends) => {
    const proxy = await startProxy(itsKind, node, its);
    cleanups.add(() => proxy.stop());
    return proxy;
  };
  const certified = async ({ serviceAccount }: { serviceAccount: string }): Promise<Backends> => ({
    xdsPort: controlPlane.tlsPort,
    collectorPort: collector.port,
    certificate: await authority.certify(serviceAccount),
  });
  const plain: Backends = { xdsPort: controlPlane.port, collectorPort: collector.port };
  const [client, server, gateway] = await Promise.all([
    start(nodes.client, kind, clientInPlainText ? plain : await certified(nodes.client)),
    start(nodes.server, serverKind, await certified(nodes.server)),
    start(nodes.gateway, kind, await certified(nodes.gateway)),
  ]);
  const ports = { outbound, ratings, database: databasePort, http2: http2Port, gateway: gatewayPort };
  const parts = { authority, controlPlane, collector, applications, nodes, client, server, gateway, ports };
  await until(async () => {
    const target = { address: addresses.client, port: outbound, host: "ratings:9080" };
    const { status } = await call(target);
    if (status !== 200) throw new Error(`the mesh answers ${status}`);
  });
  return { ...parts, base: `${base}\n---\n${gatewayConfig(gatewayPort)}` };
}

const nodesOf = (ports: { outbound: number; ingress: Record<string, string> }) =>
  ({
    client: {
      type: "sidecar",
      ip: addresses.client,
      workload: "client-v1",
      serviceAccount: "client",
      labels: { app: "client", version: "v1" },
      httpProxyPort: ports.outbound,
    },
    server: {
      type: "sidecar",
      ip: addresses.ratings,
      workload: "ratings-v1",
      serviceAccount: "ratings",
      labels: { app: "ratings", version: "v1" },
      // Another address than the client's: the same port is as free here.
      httpProxyPort: ports.outbound,
      ingress: ports.ingress,
    },
    gateway: {
      type: "router",
      ip: addresses.gateway,
      workload: "gateway",
      serviceAccount: "gateway",
      labels: { istio: "ingressgateway", app: "gateway" },
    },
  }) as const satisfies Record<string, ProxyNode>;

const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }`;

/** In plain text until a test asks for more: whatever has an account is called by mutual TLS unless its label says otherwise. */
const workload = (app: string, version: string, address: string, port: number, account = "") => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${app}-${version}, namespace: default }
spec: { address: ${address}, ports: { http: ${port} }, labels: { app: ${app}, version: ${version}, security.istio.io/tlsMode: disabled }, serviceAccount: "${account}" }`;

const baseConfig = (applications: Applications, ratings: number) =>
  [
    service("reviews"),
    service("ratings"),
    workload("reviews", "v1", "127.0.0.1", applications["reviews-v1"].port),
    workload("reviews", "v2", "127.0.0.1", applications["reviews-v2"].port),
    workload("reviews", "v3", "127.0.0.1", applications["reviews-v3"].port),
    workload("ratings", "v1", addresses.ratings, ratings, "ratings"),
  ].join("\n---\n");

const gatewayConfig = (port: number) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: ${port}, name: http, protocol: HTTP }, hosts: ["*"] }]`;
