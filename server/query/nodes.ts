import type { GraphNode, ServiceLink } from "../contract/index.ts";
import { serviceLink } from "../contract/index.ts";
import type { MeshFacts, ServiceFacts } from "./facts.ts";
import type { PeerRow } from "./reader.ts";

/** Who a node is; what it does comes from its traffic. */
export type NodeIdentity = Pick<GraphNode, "id" | "kind" | "namespace" | "app" | "version" | "workload">;

/** Stands for every client without a sidecar: outside the mesh, or inside and unknown. */
export const unknownSource: NodeIdentity = {
  id: "unknown/unknown/unknown",
  kind: "source",
  namespace: "unknown",
  app: "unknown",
  version: null,
  workload: null,
};

export const nodeId = (namespace: string, app: string, version: string | null): string =>
  `${namespace}/${app}/${version ?? "unknown"}`;

/** What is outside the mesh is one node a host, however many endpoints stand behind it. */
export const externalNode = (namespace: string, hostname: string): NodeIdentity => ({
  id: nodeId(namespace, hostname, null),
  kind: "external",
  namespace,
  app: hostname,
  version: null,
  workload: null,
});

/** Where Istio counts calls that no service of the mesh took, and where the collector counts when it has too many names. */
const collective = new Set(["BlackHoleCluster", "PassthroughCluster", "overflow"]);

/** Tells the node of a peer, with the registry's help where the record alone can't. */
export class NodeNames {
  readonly #byHost: ReadonlyMap<string, readonly ServiceFacts[]>;
  readonly #byWorkload: ReadonlyMap<string, readonly ServiceFacts[]>;
  readonly #gateways: ReadonlySet<string>;

  constructor(facts: MeshFacts) {
    this.#byHost = Map.groupBy(facts.services, ({ hostname }) => hostname);
    const behind = facts.services
      .filter(({ external }) => !external)
      .flatMap((service) => workloadsOf(service).map((workload) => ({ workload, service })));
    const grouped = Map.groupBy(behind, ({ workload }) => workload);
    this.#byWorkload = new Map([...grouped].map(([key, list]) => [key, list.map(({ service }) => service)]));
    this.#gateways = new Set(facts.gateways.map((gateway) => `${gateway.namespace}/${gateway.workload}`));
  }

  source(peer: PeerRow, gateway: boolean): NodeIdentity {
    return peer.app === "" ? unknownSource : this.#workload(peer, gateway);
  }

  target(peer: PeerRow, host: string, gateway: boolean): NodeIdentity {
    const service = this.service(host, peer.namespace);
    // Who answers for a host outside is none of the mesh's workloads, whatever its endpoint is labelled.
    if (service?.external && !gateway) return externalNode(service.namespace, host);
    return peer.workload === "" ? this.#unreached(peer, host, service) : this.#workload(peer, gateway);
  }

  /** The service that a hostname stands for; where several namespaces have one, that of the namespace. */
  service(host: string, namespace: string): ServiceFacts | undefined {
    const all = this.#byHost.get(host);
    return all?.find((service) => service.namespace === namespace) ?? all?.[0];
  }

  /** The registry's services that a node stands behind. */
  servicesOf({ kind, namespace, app, workload }: NodeIdentity): readonly ServiceFacts[] {
    if (kind === "external") return (this.#byHost.get(app) ?? []).filter((service) => service.namespace === namespace);
    return workload === null ? [] : (this.#byWorkload.get(`${namespace}/${workload}`) ?? []);
  }

  linkOf(identity: NodeIdentity): ServiceLink | null {
    const [service] = this.servicesOf(identity);
    return service ? serviceLink(service) : null;
  }

  #workload(peer: PeerRow, gateway: boolean): NodeIdentity {
    const { namespace, app, version, workload } = peer;
    const kind = gateway || this.#gateways.has(`${namespace}/${workload}`) ? "gateway" : "workload";
    // A certificate tells the account, and not always which workload of it.
    const known = { version: version || null, workload: workload || null };
    return { id: nodeId(namespace, app, known.version), kind, namespace, app, ...known };
  }

  /** No host was reached, by an abort or for want of a healthy one: the subset, or there being but one version, says who was meant. */
  #unreached(peer: PeerRow, host: string, service: ServiceFacts | undefined): NodeIdentity {
    if (collective.has(host)) {
      return { ...externalNode("unknown", host), kind: "unknown" };
    }
    if (service === undefined && peer.namespace === "") return externalNode("external", host);
    const version = versionOf(peer, service);
    const meant = service?.versions.find((each) => each.version === version);
    const namespace = service?.namespace ?? peer.namespace;
    const app = service ? appOf(service, version) : peer.app;
    const kind = version === null ? "unknown" : "workload";
    return {
      id: nodeId(namespace, app, version),
      kind,
      namespace,
      app,
      version,
      workload: meant?.workloads[0] ?? null,
    };
  }
}

const workloadsOf = ({ namespace, versions }: ServiceFacts): string[] => [
  ...new Set(versions.flatMap(({ workloads }) => workloads.map((workload) => `${namespace}/${workload}`))),
];

/** What telemetry calls the workloads of a version; of the whole service where they agree, else the service's own name. */
export function appOf(service: ServiceFacts, version: string | null): string {
  const meant = service.versions.filter((each) => version === null || each.version === version);
  const apps = new Set(meant.flatMap((each) => each.apps ?? []));
  return (version !== null || apps.size === 1 ? [...apps][0] : undefined) ?? service.name;
}

function versionOf(peer: PeerRow, service: ServiceFacts | undefined): string | null {
  const ofSubset = service?.versions.find((version) => version.subset !== null && version.subset === peer.version);
  if (ofSubset !== undefined) return ofSubset.version;
  if (peer.version !== "") return peer.version;
  return service?.versions.length === 1 ? (service.versions[0]?.version ?? null) : null;
}

export const graphNode = (identity: NodeIdentity, signals: GraphNode["signals"]): GraphNode => ({
  ...identity,
  box: null,
  health: "idle",
  signals,
  badges: [],
  services: [],
  idle: false,
});
