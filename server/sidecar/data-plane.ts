import type { Socket } from "node:net";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { AccessLog } from "../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { type Cluster as ClusterProto, ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener as ListenerProto, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { HttpConnectionManager_Tracing } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { ClusterEndpointsHealth, ClusterHealthCheck } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import type { Logger } from "../lib/logger.ts";
import type { ListeningSocket } from "../lib/succession.ts";
import { Timers } from "../lib/timers.ts";
import { ClusterSet } from "./cluster/cluster-set.ts";
import type { Lookup } from "./cluster/dns.ts";
import { DnsCaches } from "./cluster/dns-cache.ts";
import { ProbedClusters } from "./cluster/health/probed-clusters.ts";
import { at, problemsOf } from "./config/problems.ts";
import { nameless, perFilterCompiler } from "./filters/registry.ts";
import { type ChainsIo, compileChains } from "./listener/compile-chains.ts";
import { ConnectionLimit } from "./listener/connection-limit.ts";
import type { DiscoveredPlace } from "./listener/discovered-filter.ts";
import type { InheritedSockets } from "./listener/inherited-sockets.ts";
import type { ListenAddress } from "./listener/listen-address.ts";
import type { ListenerIo } from "./listener/listener.ts";
import { ListenerSet } from "./listener/listener-set.ts";
import type { AccessLogger, Tracer } from "./record.ts";
import type { LocalProxy } from "./request/filter.ts";
import { RouteSet } from "./route/route-set.ts";
import type { RouteTable } from "./route/route-table.ts";
import { Runtime } from "./runtime.ts";
import { SecretSet } from "./secret/secret-set.ts";
import type { Stats } from "./stats.ts";
import { unsupportedFields } from "./supported/supported.ts";
import type { CommonTls } from "./tls/common-tls.ts";
import { WallClock } from "./wall-clock.ts";

export interface DataPlaneIo {
  readonly stats: Stats;
  /** One logger for all `access_log` entries of a connection manager. May throw an Error naming what it does not support. */
  accessLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
  /** The same for a TCP proxy, whose records are connections. */
  connectionLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger;
  /** Takes lines for a file, of those who log what is no request; absent: nobody reads them. */
  readonly lines?: ((path: string) => (line: string) => void) | undefined;
  /** May throw likewise; undefined: not traced. */
  tracer(config: HttpConnectionManager_Tracing): Tracer | undefined;
  /** Unix milliseconds. */
  readonly wallNow?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Of all listeners together but those that are to be without a limit; undefined: any number. */
  readonly maxConnections?: number | undefined;
  readonly logger: Logger;
  /** What filters tell of the proxy itself; absent: a proxy without a name that is well. */
  readonly local?: LocalProxy | undefined;
  /** Absent: one without values. */
  readonly runtime?: Runtime | undefined;
  /** Of forward proxies; the system's, unless a test has another. */
  readonly lookup?: Lookup | undefined;
  /** Lets a successor listen on the same ports before this one has stopped (SO_REUSEPORT). */
  readonly reusePort?: boolean | undefined;
  /** A socket that others accept on as well, for the listener of that name; absent: listeners bind their own. */
  readonly acquire?: ListenerIo["acquire"];
  /** Listeners that are not bound: connections come from inside the process, by {@link DataPlane.take}. Absent: none. */
  readonly isInternal?: ((listener: ListenerProto) => boolean) | undefined;
  /** False: listeners are compiled and none is bound; nothing is called. */
  readonly listens?: boolean | undefined;
  /** Listening sockets of a predecessor, which goes on with them until it drains. */
  readonly inherited?: InheritedSockets | undefined;
}

/**
 * The data path of one proxy: listener → filter chain → connection manager → route (or TCP proxy) → cluster → endpoint. Config comes in as Envoy's messages, one resource at a time; each
 * setter answers with everything wrong with the resource (`path: what`), empty when it was taken. A refused resource leaves the one in force untouched.
 */
export class DataPlane {
  private readonly timers = new Timers();
  private readonly routes: RouteSet;
  private readonly secrets: SecretSet;
  private readonly clusters: ClusterSet;
  private readonly probed: ProbedClusters;
  private readonly listeners: ListenerSet;
  private readonly chainsIo: ChainsIo;
  private readonly isInternal: (listener: ListenerProto) => boolean;
  private readonly extensions = new Map<string, Any>();
  /** By listener, the names under which its chains use route configurations. */
  private readonly routeUsers = new Map<string, string[]>();

  constructor(io: DataPlaneIo) {
    const random = io.random ?? Math.random;
    this.isInternal = io.isInternal ?? (() => false);
    const now = () => performance.now();
    const local = io.local ?? nameless;
    this.routes = new RouteSet(perFilterCompiler(local), () => this.listeners.warm());
    this.secrets = new SecretSet(() => {
      this.clusters.warm();
      this.listeners.warm();
    });
    const dnsCaches = new DnsCaches(io.stats, now, io.lookup);
    const idle = io.listens === false;
    const checkEvents = io.lines && { lines: io.lines, now: io.wallNow ?? Date.now };
    const clusterIo = { stats: io.stats, timers: this.timers, now, random, dnsCaches, checkEvents, idle };
    this.probed = new ProbedClusters(clusterIo, this.secrets);
    this.clusters = new ClusterSet(clusterIo, this.secrets, () => this.listeners.warm());
    const { stats, logger, reusePort, inherited, acquire } = io;
    const limit = io.maxConnections === undefined ? undefined : new ConnectionLimit(io.maxConnections);
    const listenerIo = { stats, timers: this.timers, logger, reusePort, inherited, acquire, limit };
    this.listeners = new ListenerSet(listenerIo, () => !idle && this.clusters.ready);
    this.chainsIo = {
      wall: new WallClock(io.wallNow),
      stats: io.stats,
      timers: this.timers,
      random,
      runtime: io.runtime ?? new Runtime(),
      local,
      clusters: this.clusters.byName,
      extensions: this.extensions,
      secrets: this.secrets,
      accessLogger: (configs, direction) => io.accessLogger(configs, direction),
      connectionLogger: (configs, direction) => io.connectionLogger(configs, direction),
      tracer: (config) => io.tracer(config),
    };
  }

  setListener(listener: ListenerProto): string[] {
    return refuse(`listener ${listener.name}`, ListenerSchema, listener, () => this.putListener(listener));
  }

  removeListener(name: string): void {
    this.listeners.remove(name);
    this.unuseRoutes(name);
  }

  setCluster(cluster: ClusterProto): string[] {
    return refuse(`cluster ${cluster.name}`, ClusterSchema, cluster, () => this.clusters.put(cluster));
  }

  removeCluster(name: string): void {
    this.clusters.remove(name);
  }

  /** What comes later takes effect with new connections; open ones go on. */
  setSecret(secret: Secret): string[] {
    return refuse(`secret ${secret.name}`, SecretSchema, secret, () => this.secrets.put(secret));
  }

  setEndpoints(assignment: ClusterLoadAssignment): string[] {
    return refuse(`endpoints ${assignment.clusterName}`, ClusterLoadAssignmentSchema, assignment, () =>
      this.clusters.putEndpoints(assignment),
    );
  }

  /** Probes these endpoints from now on, and no others, also in a process that serves nobody. */
  setProbes(asked: readonly ClusterHealthCheck[]): string[] {
    return this.probed.replace(asked, (cluster, apply) =>
      refuse(`cluster ${cluster.name}`, ClusterSchema, cluster, apply),
    );
  }

  /** What probing has found. */
  probes(): ClusterEndpointsHealth[] {
    return this.probed.report();
  }

  removeEndpoints(name: string): void {
    this.clusters.removeEndpoints(name);
  }

  setRouteConfiguration(config: RouteConfiguration): string[] {
    return refuse(`route ${config.name}`, RouteConfigurationSchema, config, () => this.routes.put(config));
  }

  removeRouteConfiguration(name: string): void {
    this.routes.remove(name);
  }

  /** @param resourceName as in VHDS: `<route config>/<virtual host>` */
  setVirtualHost(routeConfigName: string, host: VirtualHost, resourceName: string): string[] {
    return refuse(`virtual host ${resourceName}`, VirtualHostSchema, host, () =>
      this.routes.putVirtualHost(routeConfigName, host, resourceName),
    );
  }

  removeVirtualHost(resourceName: string): void {
    this.routes.removeVirtualHost(resourceName);
  }

  /** A filter by discovery: all places that have it take it, or none of them does. */
  setExtension(extension: TypedExtensionConfig): string[] {
    const { name, typedConfig } = extension;
    return refuse(`extension ${name}`, TypedExtensionConfigSchema, extension, () => {
      if (typedConfig === undefined) throw new Error("typed_config: required");
      const places = this.discovered(name);
      const prepared = at("typed_config", () => places.map((place) => place.prepare(typedConfig)));
      this.extensions.set(name, typedConfig);
      for (const use of prepared) use();
      this.listeners.warm();
    });
  }

  /** Nobody has it: its places take their default, and without one answer for it. */
  removeExtension(name: string): void {
    this.extensions.delete(name);
    for (const place of this.discovered(name)) place.fallBack();
    this.listeners.warm();
  }

  /** Filters that listeners ask for over ECDS, and how long they wait for each, in milliseconds. What is held of others is forgotten. */
  requiredExtensions(): Map<string, number> {
    const required = new Map([...this.listeners.discovered()].map(({ name, timeoutMs }) => [name, timeoutMs]));
    for (const name of this.extensions.keys()) if (!required.has(name)) this.extensions.delete(name);
    return required;
  }

  /** EDS service names of all clusters. */
  requiredEndpoints(): string[] {
    return this.clusters.requiredEndpoints();
  }

  /** Route configurations that listeners ask for over RDS. */
  requiredRoutes(): string[] {
    return this.routes.required();
  }

  /** Secrets that clusters and listeners refer to, be they in force or to come; what is held of others is forgotten. */
  requiredSecrets(): Set<string> {
    const names = new Set([
      ...this.clusters.requiredSecrets(),
      ...this.probed.tlsContexts().flatMap(({ secretNames }) => secretNames),
      ...this.listeners.requiredSecrets(),
    ]);
    this.secrets.retain(names);
    return names;
  }

  /** Whether a route configuration takes virtual hosts over VHDS. */
  wantsVhds(): boolean {
    return this.routes.wantsVhds();
  }

  /** Whether every listener is bound and every cluster has its endpoints. */
  get ready(): boolean {
    return this.listeners.ready && this.clusters.ready;
  }

  /** The tables in force, for simulation and dumps. */
  routeTable(name: string): RouteTable | undefined {
    return this.routes.table(name);
  }

  /** The clusters in force, for the admin's pages. */
  get clusterMap(): ClusterSet["byName"] {
    return this.clusters.byName;
  }

  /** The TLS contexts in force. */
  tlsContexts(): CommonTls[] {
    return [...this.clusters.tlsContexts(), ...this.probed.tlsContexts(), ...this.listeners.tlsContexts()];
  }

  /** How many clusters are known and not in force yet. */
  get warmingClusters(): number {
    return this.clusters.warming;
  }

  /** Name and bound address of every listener that listens. */
  boundListeners(): { name: string; address: string; port: number }[] {
    return this.listeners.bound();
  }

  /** Where listeners are to listen, be they bound or not. */
  listenAddresses(): { name: string; address: ListenAddress }[] {
    return this.listeners.addresses();
  }

  /** A connection from inside the process to an internal listener. @returns whether there is one that takes it */
  take(address: ListenAddress, socket: Socket): boolean {
    return this.listeners.take(address, socket);
  }

  /** What a successor can go on with. */
  sockets(): ListeningSocket[] {
    return this.listeners.sockets();
  }

  /** Resolves when all listeners known are bound. */
  whenListening(): Promise<void> {
    return this.listeners.whenListening();
  }

  /** Lets running requests end for up to `ms`; goes on accepting for at most `acceptMs` while clients still come. */
  drain(ms: number, acceptMs = 0): Promise<void> {
    return this.listeners.drain({ ms, acceptMs });
  }

  /** Breaks everything off and frees sockets and timers. */
  close(): void {
    this.listeners.close();
    this.clusters.close();
    this.probed.close();
    this.routes.close();
    this.secrets.close();
    this.timers.stop();
  }

  private putListener(proto: ListenerProto): void {
    const address = proto.address?.address;
    if (address?.case !== "socketAddress" || address.value.portSpecifier.case !== "portValue") {
      throw new Error("address.socket_address: required");
    }
    const uses: (() => void)[] = [];
    const users: string[] = [];
    const table = compileChains(proto, this.chainsIo, (config) => {
      const user = users.length === 0 ? proto.name : `${proto.name} ${users.length}`;
      const routes = this.routes.sourceFor(user, config);
      users.push(user);
      uses.push(routes.use);
      return routes.source;
    });
    // Only now is it sure that the listener is taken.
    this.unuseRoutes(proto.name);
    for (const use of uses) use();
    this.routeUsers.set(proto.name, users);
    this.listeners.put(proto.name, { address: address.value.address, port: address.value.portSpecifier.value }, table, {
      backlog: proto.tcpBacklogSize ?? 4096,
      unlimited: proto.ignoreGlobalConnLimit,
      internal: this.isInternal(proto),
    });
  }

  private discovered(name: string): DiscoveredPlace[] {
    return [...this.listeners.discovered()].filter((place) => place.name === name);
  }

  private unuseRoutes(listener: string): void {
    for (const user of this.routeUsers.get(listener) ?? []) this.routes.unuse(user);
    this.routeUsers.delete(listener);
  }
}

/** Names every unsupported field; only then compiles, and names what cannot be compiled. */
function refuse(subject: string, schema: DescMessage, message: Message, apply: () => void): string[] {
  const unsupported = unsupportedFields(schema, message);
  if (unsupported.length > 0) return unsupported.map((error) => `${subject}: ${error}`);
  try {
    apply();
    return [];
  } catch (cause) {
    return problemsOf(cause).map((problem) => `${subject}: ${problem}`);
  }
}
