import { create, type DescService } from "@bufbuild/protobuf";
import { NodeSchema } from "../../server/gen/proto/envoy/config/core/v3/base_pb.js";
import { ClusterDiscoveryService } from "../../server/gen/proto/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "../../server/gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { EndpointDiscoveryService } from "../../server/gen/proto/envoy/service/endpoint/v3/eds_pb.js";
import { ExtensionConfigDiscoveryService } from "../../server/gen/proto/envoy/service/extension/v3/config_discovery_pb.js";
import { ListenerDiscoveryService } from "../../server/gen/proto/envoy/service/listener/v3/lds_pb.js";
import {
  RouteDiscoveryService,
  VirtualHostDiscoveryService,
} from "../../server/gen/proto/envoy/service/route/v3/rds_pb.js";
import { RuntimeDiscoveryService } from "../../server/gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { DeltaState, type ResourceHandlers, type ResourceUpdate } from "../../server/xds/client/delta-state.ts";
import type { Protocol } from "../../server/xds/exchange.ts";
import { TypeUrl } from "../../server/xds/types.ts";
import { Link } from "./link.ts";
import { SotwState } from "./sotw-state.ts";

/** How a client asks: as Envoys are told by their bootstrap. */
export interface Mode {
  readonly protocol: Protocol;
  /** Each type comes on a stream of its own service, rather than everything over ADS. */
  readonly ownStreams: boolean;
}

export const modes: readonly Mode[] = [
  { protocol: "delta", ownStreams: false },
  { protocol: "sotw", ownStreams: false },
  { protocol: "delta", ownStreams: true },
  { protocol: "sotw", ownStreams: true },
];

export const modeText = ({ protocol, ownStreams }: Mode): string =>
  `${protocol}, ${ownStreams ? "a stream for each type" : "ADS"}`;

const services: readonly (readonly [TypeUrl, DescService])[] = [
  [TypeUrl.cluster, ClusterDiscoveryService],
  [TypeUrl.listener, ListenerDiscoveryService],
  [TypeUrl.endpoint, EndpointDiscoveryService],
  [TypeUrl.route, RouteDiscoveryService],
  [TypeUrl.runtime, RuntimeDiscoveryService],
  [TypeUrl.extensionConfig, ExtensionConfigDiscoveryService],
  [TypeUrl.virtualHost, VirtualHostDiscoveryService],
];

/** The layer that their bootstraps ask for. */
export const runtimeLayer = "chaos";

/** The filter that their listeners ask for. */
export const extensionConfig = "chaos";

interface Options {
  target: string;
  index: number;
  mode: Mode;
  random: (below: number) => number;
}

/** A proxy that takes what it gets as Envoy would, until it is told to misbehave. */
export class ChaosClient {
  readonly mode: Mode;
  readonly #options: Options;
  readonly #types: readonly TypeUrl[];
  readonly #links: readonly Link[];
  readonly #byType: ReadonlyMap<TypeUrl, Link>;
  #refuses = false;
  #hasRefused = false;
  /** Clusters whose endpoints it has asked for. */
  #followed: ReadonlySet<string> = new Set();

  constructor(options: Options) {
    this.#options = options;
    this.mode = options.mode;
    const { protocol, ownStreams } = options.mode;
    // There are no single virtual hosts on the state-of-the-world protocol.
    const mine = services.filter(([typeUrl]) => protocol === "delta" || typeUrl !== TypeUrl.virtualHost);
    this.#types = mine.map(([typeUrl]) => typeUrl);
    const all = mine.map(([typeUrl]) => typeUrl);
    this.#links = ownStreams
      ? mine.map(([typeUrl, service]) => this.#link([typeUrl], service))
      : [this.#link(all, AggregatedDiscoveryService)];
    const linkOf = (i: number) => (ownStreams ? this.#links[i] : this.#links[0]);
    this.#byType = new Map(all.flatMap((typeUrl, i) => [[typeUrl, linkOf(i)] as const].flatMap(present)));
    for (const type of [TypeUrl.cluster, TypeUrl.listener, TypeUrl.virtualHost]) {
      this.#byType.get(type)?.state.subscribe(type, "*");
    }
    this.#byType.get(TypeUrl.route)?.state.subscribe(TypeUrl.route, ["http_proxy"]);
    this.#byType.get(TypeUrl.runtime)?.state.subscribe(TypeUrl.runtime, [runtimeLayer]);
    this.#byType.get(TypeUrl.extensionConfig)?.state.subscribe(TypeUrl.extensionConfig, [extensionConfig]);
  }

  /** Streams that it has opened. */
  get lives(): number {
    return this.#links.reduce((sum, { lives }) => sum + lives, 0);
  }

  /** One turn of its life. */
  act(): void {
    const { random } = this.#options;
    this.expire();
    const link = this.#links[random(this.#links.length)];
    if (!link?.isOpen) {
      for (const each of this.#links) if (!each.isOpen) each.open();
      return;
    }
    switch (random(6)) {
      case 0:
        link.lag();
        break;
      case 1:
        this.#refuses = !this.#refuses;
        break;
      case 2:
        this.vanish();
        break;
      case 3:
        link.open();
        break;
      default:
        link.catchUp();
    }
  }

  /** Drops what it was not told of in time. */
  expire(): void {
    for (const link of this.#links) link.expire();
  }

  /** From here on it behaves; what it has refused it asks for again, on a new stream. */
  settle(): void {
    this.#refuses = false;
    for (const link of this.#links) {
      link.catchUp();
      if (!link.isOpen || this.#hasRefused) link.open();
    }
    this.#hasRefused = false;
  }

  /** Without a word; what it holds stays with it. */
  vanish(): void {
    for (const link of this.#links) link.vanish();
  }

  /** All that it holds, by type, as one text. */
  content(): string {
    return JSON.stringify(this.#types.map((type) => [...this.#held(type)].sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  /** What it holds and the other does not, or otherwise: a few of them, by type. */
  differences(other: ChaosClient): string {
    return this.#types
      .flatMap((type) => {
        const [mine, theirs] = [this.#held(type), other.#held(type)];
        const names = [...new Set([...mine.keys(), ...theirs.keys()])];
        return names
          .filter((name) => mine.get(name) !== theirs.get(name))
          .map((name) => `${shortName(type)} ${name} (${mine.get(name) ?? "none"}, not ${theirs.get(name) ?? "none"})`);
      })
      .slice(0, 5)
      .join(", ");
  }

  summary(): string {
    return this.#types.map((type) => `${shortName(type)} ${this.#held(type).size}`).join(", ");
  }

  /** What a proxy could not work with. */
  problems(): string[] {
    const endpoints = this.#held(TypeUrl.endpoint);
    const without = [...this.#held(TypeUrl.cluster).keys()].filter(
      (name) => name.startsWith("outbound|") && !endpoints.has(name),
    );
    const who = `client ${this.#options.index} (${modeText(this.mode)})`;
    return [
      ...(this.#links.every(({ isOpen }) => isOpen) ? [] : [`${who} has no stream`]),
      ...without.slice(0, 1).map((name) => `${who} has no endpoints for ${name}`),
    ];
  }

  #held(type: TypeUrl): ReadonlyMap<string, string> {
    return this.#byType.get(type)?.state.held(type) ?? new Map();
  }

  #link(types: readonly TypeUrl[], service: DescService): Link {
    const { target, index, mode, random } = this.#options;
    const node = create(NodeSchema, {
      id: `sidecar~10.9.0.1~chaos-${index}.default~default.svc.cluster.local`,
      userAgentName: "envoy",
      clientFeatures: ["xds.config.supports-resource-ttl"],
      metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", WORKLOAD_NAME: "chaos" },
    });
    const handlers: ResourceHandlers = Object.fromEntries(
      types.map((type) => [type, { apply: (update: ResourceUpdate) => this.#apply(type, update) }]),
    );
    const state = mode.protocol === "delta" ? new DeltaState(node, handlers) : new SotwState(node, handlers);
    return new Link({ target, service, protocol: mode.protocol, state, retryMs: () => 50 + random(200) });
  }

  #apply(type: TypeUrl, update: ResourceUpdate): ReadonlyMap<string, string> {
    if (type === TypeUrl.cluster) queueMicrotask(() => this.#follow());
    const { added } = update;
    const one = this.#refuses ? added[this.#options.random(Math.max(1, added.length))] : undefined;
    if (!one) return new Map();
    this.#hasRefused = true;
    return new Map([[one.name, "chaos will have none of it"]]);
  }

  /** Endpoints of the clusters that it holds are asked for, and of others no more: of one that it refused it has none. */
  #follow(): void {
    const link = this.#byType.get(TypeUrl.endpoint);
    const before = this.#followed;
    this.#followed = new Set([...this.#held(TypeUrl.cluster).keys()].filter((name) => name.startsWith("outbound|")));
    const more = [...this.#followed].filter((name) => !before.has(name));
    const less = [...before].filter((name) => !this.#followed.has(name));
    if (more.length > 0) link?.send(link.state.subscribe(TypeUrl.endpoint, more));
    if (less.length > 0) link?.send(link.state.unsubscribe(TypeUrl.endpoint, less));
  }
}

const shortName = (type: string): string => type.slice(type.lastIndexOf(".") + 1);

const present = ([type, link]: readonly [TypeUrl, Link | undefined]): [TypeUrl, Link][] => (link ? [[type, link]] : []);
