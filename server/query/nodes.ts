import type { GraphNode } from "../contract/index.ts";
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

/** Where Istio counts calls that no service of the mesh took, and where the collector counts when it has too many names. */
const collective = new Set(["BlackHoleCluster", "PassthroughCluster", "overflow"]);

/** Tells the node of a peer, with the registry's help where the record alone can't. */
export class NodeNames {
  readonly #services: ReadonlyMap<string, ServiceFacts>;
  readonly #gateways: ReadonlySet<string>;

  constructor(facts: MeshFacts) {
    this.#services = new Map(facts.services.map((service) => [service.hostname, service]));
    this.#gateways = new Set(facts.gateways.map((gateway) => `${gateway.namespace}/${gateway.workload}`));
  }

  source(peer: PeerRow, gateway: boolean): NodeIdentity {
    return peer.app === "" ? unknownSource : this.#workload(peer, gateway);
  }

  target(peer: PeerRow, service: string, gateway: boolean): NodeIdentity {
    return peer.workload === "" ? this.#unreached(peer, service) : this.#workload(peer, gateway);
  }

  #workload(peer: PeerRow, gateway: boolean): NodeIdentity {
    const { namespace, app, version, workload } = peer;
    const kind = gateway || this.#gateways.has(`${namespace}/${workload}`) ? "gateway" : "workload";
    return { id: nodeId(namespace, app, version), kind, namespace, app, version, workload };
  }

  /** No host was reached, by an abort or for want of a healthy one: the subset, or there being but one version, says who was meant. */
  #unreached(peer: PeerRow, host: string): NodeIdentity {
    const service = this.#services.get(host);
    if (collective.has(host)) {
      return {
        id: nodeId("unknown", host, null),
        kind: "unknown",
        namespace: "unknown",
        app: host,
        version: null,
        workload: null,
      };
    }
    if (service?.external || (service === undefined && peer.namespace === "")) {
      const namespace = service?.namespace ?? "external";
      return {
        id: nodeId(namespace, host, null),
        kind: "external",
        namespace,
        app: host,
        version: null,
        workload: null,
      };
    }
    const version = this.#version(peer, service);
    const { namespace, app } = { namespace: service?.namespace ?? peer.namespace, app: service?.name ?? peer.app };
    const kind = version === null ? "unknown" : "workload";
    const workload = service?.versions.find((each) => each.version === version)?.workloads[0] ?? null;
    return { id: nodeId(namespace, app, version), kind, namespace, app, version, workload };
  }

  #version(peer: PeerRow, service: ServiceFacts | undefined): string | null {
    const ofSubset = service?.versions.find((version) => version.subset !== null && version.subset === peer.version);
    if (ofSubset !== undefined) return ofSubset.version;
    if (peer.version !== "") return peer.version;
    return service?.versions.length === 1 ? (service.versions[0]?.version ?? null) : null;
  }
}

export const graphNode = (identity: NodeIdentity, signals: GraphNode["signals"]): GraphNode => ({
  ...identity,
  box: null,
  health: "idle",
  signals,
  badges: [],
  idle: false,
});
