import type { Cluster as ClusterProto } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { at, together } from "../config/problems.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import type { Secrets } from "../tls/secrets.ts";
import { Cluster, type ClusterIo } from "./cluster.ts";
import { type ClusterConfig, compileCluster } from "./cluster-config.ts";
import { DnsResolver } from "./dns.ts";
import { type Assignment, compileAssignment } from "./load-assignment.ts";
import { defaultPriorityPolicy } from "./priority-load.ts";
import { tlsContextsOf } from "./transport.ts";

/** All clusters, with what feeds their endpoints: the config itself, EDS or DNS. */
export class ClusterSet {
  readonly byName = new Map<string, Cluster>();
  private readonly io: ClusterIo;
  private readonly changed: () => void;
  private readonly resolvers = new Map<string, DnsResolver>();
  /** The last assignment of each EDS service name, also for clusters to come. */
  private readonly assignments = new Map<string, Assignment>();

  private readonly fetchTimers = new Set<NodeJS.Timeout>();
  /** New clusters, and new settings, that wait for secrets: what was in force before stays so. */
  private readonly waiting = new Map<string, Waiting>();
  private readonly secrets: Secrets;
  /** Undefined: other clusters are known since it was reckoned. */
  private referred: References | undefined;

  /** @param changed called when a cluster may have become warm */
  constructor(io: ClusterIo, secrets: Secrets, changed: () => void) {
    this.io = io;
    this.secrets = secrets;
    this.changed = changed;
  }

  get ready(): boolean {
    for (const cluster of this.byName.values()) if (!cluster.warm) return false;
    for (const { late } of this.waiting.values()) if (!late) return false;
    return true;
  }

  /** How many are known and not in force yet. */
  get warming(): number {
    return [...this.byName.values()].filter(({ warm }) => !warm).length + this.waiting.size;
  }

  /** Throws an Error naming the field, before any change. */
  put(proto: ClusterProto): void {
    const assignment = proto.loadAssignment;
    const { config, fixed } = together<{ config: ClusterConfig; fixed: Assignment }>({
      config: () => {
        const compiled = compileCluster(proto, this.secrets);
        if (compiled.dnsCache !== undefined) this.io.dnsCaches.check(compiled.dnsCache);
        return compiled;
      },
      fixed: () =>
        assignment === undefined ? noEndpoints : at("load_assignment", () => compileAssignment(assignment)),
    });
    this.stopWaiting(config.name);
    if (isUnsettled(config)) this.waitForSecrets(config, fixed);
    else this.bringIntoForce(config, fixed);
    this.changed();
  }

  /** Brings into force what has its secrets. Called whenever one has come. */
  warm(): void {
    for (const { config, fixed } of [...this.waiting.values()]) {
      if (isUnsettled(config)) continue;
      this.stopWaiting(config.name);
      this.bringIntoForce(config, fixed);
      this.changed();
    }
  }

  private bringIntoForce(config: ClusterConfig, fixed: Assignment): void {
    this.referred = undefined;
    let cluster = this.byName.get(config.name);
    if (cluster === undefined) {
      cluster = new Cluster(config, this.io, () => this.changed());
      this.byName.set(config.name, cluster);
    } else {
      cluster.reconfigure(config);
    }
    const before = this.resolvers.get(config.name);
    before?.close();
    this.resolvers.delete(config.name);
    const target = cluster;
    if (config.discovery === "static") target.setEndpoints(fixed.endpoints, fixed.policy, fixed.dropped);
    else if (config.discovery === "eds") this.feedOrWait(target);
    else if (target.finder === undefined && this.io.idle !== true) {
      // New settings must not cost the endpoints when the name server happens to be away.
      const publish: ConstructorParameters<typeof DnsResolver>[2] = (endpoints) => {
        target.setEndpoints(endpoints, fixed.policy, fixed.dropped);
        this.changed();
      };
      const resolver = new DnsResolver(config, fixed.endpoints, publish, before?.known);
      this.resolvers.set(config.name, resolver);
    }
  }

  private waitForSecrets(config: ClusterConfig, fixed: Assignment): void {
    this.referred = undefined;
    // However long the secret may take, the rest of the proxy doesn't wait longer than for endpoints.
    const timer = setTimeout(() => {
      waiting.late = true;
      this.changed();
    }, initialFetchMs).unref();
    const waiting: Waiting = { config, fixed, timer, late: false };
    this.waiting.set(config.name, waiting);
  }

  private stopWaiting(name: string): void {
    this.referred = undefined;
    clearTimeout(this.waiting.get(name)?.timer);
    this.waiting.delete(name);
  }

  remove(name: string): void {
    this.stopWaiting(name);
    this.resolvers.get(name)?.close();
    this.resolvers.delete(name);
    const cluster = this.byName.get(name);
    this.byName.delete(name);
    cluster?.remove();
    cluster?.stats.forget();
    this.changed();
  }

  putEndpoints(assignment: ClusterLoadAssignment): void {
    // A bad one is refused although no cluster may use it yet.
    this.assignments.set(assignment.clusterName, compileAssignment(assignment));
    this.feed(assignment.clusterName);
    this.changed();
  }

  removeEndpoints(name: string): void {
    this.assignments.delete(name);
    for (const cluster of this.usersOf(name)) cluster.setEndpoints([], defaultPriorityPolicy);
  }

  /** The same list while clusters refer to the same: with thousands of them, each changed route asks. */
  requiredEndpoints(): readonly string[] {
    return this.references().endpoints;
  }

  requiredSecrets(): readonly string[] {
    return this.references().secrets;
  }

  private references(): References {
    this.referred ??= referencesOf(this.configs());
    return this.referred;
  }

  tlsContexts(): CommonTls[] {
    return [...this.byName.values()].flatMap(({ config }) => tlsContextsOf(config).map(({ common }) => common));
  }

  /** In force and to come. */
  private configs(): ClusterConfig[] {
    return [...this.byName.values(), ...this.waiting.values()].map(({ config }) => config);
  }

  close(): void {
    for (const timer of this.fetchTimers) clearTimeout(timer);
    for (const name of [...this.waiting.keys()]) this.stopWaiting(name);
    for (const resolver of this.resolvers.values()) resolver.close();
    for (const cluster of this.byName.values()) cluster.destroy();
    this.byName.clear();
    this.io.dnsCaches.close();
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
    const { endpoints, policy, dropped } = assignment;
    for (const cluster of this.usersOf(serviceName)) cluster.setEndpoints(endpoints, policy, dropped);
  }

  private usersOf(serviceName: string): Cluster[] {
    const uses = (config: ClusterConfig) => config.discovery === "eds" && config.serviceName === serviceName;
    return [...this.byName.values()].filter((cluster) => uses(cluster.config));
  }
}

/** Whether a secret may still come. */
const isUnsettled = (config: ClusterConfig): boolean => tlsContextsOf(config).some(({ common }) => !common.settled);

interface Waiting {
  readonly config: ClusterConfig;
  readonly fixed: Assignment;
  readonly timer: NodeJS.Timeout;
  /** The rest of the proxy no longer waits for it. */
  late: boolean;
}

const noEndpoints: Assignment = { endpoints: [], policy: defaultPriorityPolicy, dropped: 0 };

const initialFetchMs = 15_000;

/** What clusters refer to by name, each once. */
interface References {
  readonly endpoints: readonly string[];
  readonly secrets: readonly string[];
}

function referencesOf(configs: readonly ClusterConfig[]): References {
  const eds = configs.filter(({ discovery }) => discovery === "eds");
  const secrets = configs.flatMap((config) => tlsContextsOf(config).flatMap(({ common }) => common.secretNames));
  return { endpoints: [...new Set(eds.map(({ serviceName }) => serviceName))], secrets: [...new Set(secrets)] };
}
