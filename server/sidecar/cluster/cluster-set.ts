import type { Cluster as ClusterProto } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Secrets } from "../tls/secret-set.ts";
import type { TlsContext } from "../tls/tls-context.ts";
import { Cluster, type ClusterIo } from "./cluster.ts";
import { type ClusterConfig, compileCluster } from "./cluster-config.ts";
import { DnsResolver } from "./dns.ts";
import type { EndpointConfig } from "./endpoint.ts";
import { compileAssignment } from "./load-assignment.ts";

/** All clusters, with what feeds their endpoints: the config itself, EDS or DNS. */
export class ClusterSet {
  readonly byName = new Map<string, Cluster>();
  private readonly io: ClusterIo;
  private readonly changed: () => void;
  private readonly resolvers = new Map<string, DnsResolver>();
  /** The last assignment of each EDS service name, also for clusters to come. */
  private readonly assignments = new Map<string, ClusterLoadAssignment>();

  /** New settings of clusters, whose secrets have not come; those before stay in force until then. */
  private readonly warming = new Map<string, { config: ClusterConfig; fixed: EndpointConfig[] }>();

  private readonly fetchTimers = new Set<NodeJS.Timeout>();
  private readonly secrets: Secrets;

  /** @param changed called when a cluster may have become warm */
  constructor(io: ClusterIo, secrets: Secrets, changed: () => void) {
    this.io = io;
    this.secrets = secrets;
    this.changed = changed;
  }

  get ready(): boolean {
    for (const cluster of this.byName.values()) if (!cluster.warm || !hasSecrets(cluster.config)) return false;
    return true;
  }

  /** Throws an Error naming the field, before any change. */
  put(proto: ClusterProto): void {
    const config = compileCluster(proto, this.secrets);
    const assignment = proto.loadAssignment;
    const fixed = assignment === undefined ? [] : compileAssignment(assignment, config.localityWeighted);
    this.warming.delete(config.name);
    if (hasSecrets(config) || !this.byName.has(config.name)) this.bringInto(config, fixed);
    else this.warming.set(config.name, { config, fixed });
    this.changed();
  }

  /** A secret has come: settings that waited for it come into force. */
  onSecrets(): void {
    for (const [name, { config, fixed }] of this.warming) {
      if (!hasSecrets(config)) continue;
      this.warming.delete(name);
      this.bringInto(config, fixed);
    }
    this.changed();
  }

  /** Of clusters in force and to come. */
  tlsContexts(): TlsContext[] {
    const configs = [...this.byName.values(), ...this.warming.values()].map(({ config }) => config);
    return configs.flatMap(({ tls }) => tls?.context ?? []);
  }

  private bringInto(config: ClusterConfig, fixed: EndpointConfig[]): void {
    let cluster = this.byName.get(config.name);
    if (cluster === undefined) {
      cluster = new Cluster(config, this.io);
      this.byName.set(config.name, cluster);
    } else {
      cluster.reconfigure(config);
    }
    const before = this.resolvers.get(config.name);
    before?.close();
    this.resolvers.delete(config.name);
    const target = cluster;
    if (config.discovery === "static") target.setEndpoints(fixed);
    else if (config.discovery === "eds") this.feedOrWait(target);
    else {
      // New settings must not cost the endpoints when the name server happens to be away.
      const publish = (endpoints: EndpointConfig[]) => {
        target.setEndpoints(endpoints);
        this.changed();
      };
      const resolver = new DnsResolver(config, fixed, publish, before?.known);
      this.resolvers.set(config.name, resolver);
    }
  }

  remove(name: string): void {
    this.warming.delete(name);
    this.resolvers.get(name)?.close();
    this.resolvers.delete(name);
    const cluster = this.byName.get(name);
    this.byName.delete(name);
    cluster?.remove();
    cluster?.stats.forget();
    this.changed();
  }

  putEndpoints(assignment: ClusterLoadAssignment): void {
    // Compiled once here, so that a bad one is refused although no cluster may use it yet.
    compileAssignment(assignment, false);
    this.assignments.set(assignment.clusterName, assignment);
    this.feed(assignment.clusterName);
    this.changed();
  }

  removeEndpoints(name: string): void {
    this.assignments.delete(name);
    for (const cluster of this.usersOf(name)) cluster.setEndpoints([]);
  }

  requiredEndpoints(): string[] {
    const names = new Set<string>();
    const configs = [...this.byName.values(), ...this.warming.values()].map(({ config }) => config);
    for (const { discovery, serviceName } of configs) if (discovery === "eds") names.add(serviceName);
    return [...names];
  }

  close(): void {
    for (const timer of this.fetchTimers) clearTimeout(timer);
    for (const resolver of this.resolvers.values()) resolver.close();
    for (const cluster of this.byName.values()) cluster.destroy();
    this.byName.clear();
  }

  /** One service without an answer must not keep the whole proxy from starting: Envoy's initial_fetch_timeout. */
  private feedOrWait(cluster: Cluster): void {
    this.feed(cluster.config.serviceName);
    if (cluster.warm) return;
    const timer = setTimeout(() => {
      this.fetchTimers.delete(timer);
      cluster.warm = true;
      this.changed();
    }, initialFetchMs).unref();
    this.fetchTimers.add(timer);
  }

  private feed(serviceName: string): void {
    const assignment = this.assignments.get(serviceName);
    if (assignment === undefined) return;
    for (const cluster of this.usersOf(serviceName)) {
      cluster.setEndpoints(compileAssignment(assignment, cluster.config.localityWeighted));
    }
  }

  private usersOf(serviceName: string): Cluster[] {
    const uses = (config: ClusterConfig) => config.discovery === "eds" && config.serviceName === serviceName;
    return [...this.byName.values()].filter((cluster) => uses(cluster.config));
  }
}

const hasSecrets = ({ tls }: ClusterConfig): boolean => tls?.context.ready ?? true;

const initialFetchMs = 15_000;
