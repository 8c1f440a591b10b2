import { create } from "@bufbuild/protobuf";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { NodeSchema } from "../../server/gen/proto/envoy/config/core/v3/base_pb.js";
import { AggregatedDiscoveryService } from "../../server/gen/proto/envoy/service/discovery/v3/ads_pb.js";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from "../../server/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { makeClient } from "../../server/lib/grpc.ts";
import { DeltaState, type ResourceHandler, type ResourceUpdate } from "../../server/xds/client/delta-state.ts";
import { TypeUrl } from "../../server/xds/types.ts";

type Stream = ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

const wildcards = [TypeUrl.cluster, TypeUrl.listener, TypeUrl.virtualHost];
const types = [...wildcards, TypeUrl.endpoint, TypeUrl.route];

const connect = (target: string) =>
  makeClient(AggregatedDiscoveryService, target, { "grpc.use_local_subchannel_pool": 1 });

/** A proxy that takes what it gets as Envoy would, until it is told to misbehave. */
export class ChaosClient {
  /** Streams that it has opened. */
  lives = 0;
  readonly #options: { target: string; index: number; random: (below: number) => number };
  readonly #state: DeltaState;
  readonly #client: ReturnType<typeof connect>;
  #stream: Stream | undefined;
  /** What came while it lags. */
  #unread: DeltaDiscoveryResponse[] = [];
  #lags = false;
  #refuses = false;
  #hasRefused = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: { target: string; index: number; random: (below: number) => number }) {
    this.#options = options;
    const node = create(NodeSchema, {
      id: `sidecar~10.9.0.1~chaos-${options.index}.default~default.svc.cluster.local`,
      metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", WORKLOAD_NAME: "chaos" },
    });
    const handler: ResourceHandler = { apply: (update) => this.#refused(update) };
    const clusters: ResourceHandler = {
      apply: (update) => {
        this.#follow(update);
        return this.#refused(update);
      },
    };
    this.#state = new DeltaState(node, {
      ...Object.fromEntries(types.map((type) => [type, handler])),
      [TypeUrl.cluster]: clusters,
    });
    for (const type of wildcards) this.#state.subscribe(type, "*");
    this.#state.subscribe(TypeUrl.route, ["http_proxy"]);
    this.#client = connect(options.target);
  }

  /** One turn of its life. */
  act(): void {
    const { random } = this.#options;
    if (!this.#stream) {
      this.#open();
      return;
    }
    switch (random(6)) {
      case 0:
        this.#lags = true;
        break;
      case 1:
        this.#refuses = !this.#refuses;
        break;
      case 2:
        this.vanish();
        break;
      case 3:
        this.#reconnect();
        break;
      default:
        this.#catchUp();
    }
  }

  /** From here on it behaves; what it has refused it asks for again, on a new stream. */
  settle(): void {
    this.#refuses = false;
    this.#catchUp();
    if (!this.#stream || this.#hasRefused) this.#reconnect();
  }

  /** Without a word; what it holds stays with it. */
  vanish(): void {
    clearTimeout(this.#retry);
    const stream = this.#stream;
    this.#stream = undefined;
    this.#unread = [];
    this.#lags = false;
    this.#state.close();
    stream?.cancel();
  }

  /** All that it holds, by type, as one text. */
  content(): string {
    return JSON.stringify(types.map((type) => [...this.#state.held(type)].sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  summary(): string {
    return types.map((type) => `${type.slice(type.lastIndexOf(".") + 1)} ${this.#state.held(type).size}`).join(", ");
  }

  /** What a proxy could not work with. */
  problems(): string[] {
    const endpoints = this.#state.held(TypeUrl.endpoint);
    const without = [...this.#state.held(TypeUrl.cluster).keys()].filter(
      (name) => name.startsWith("outbound|") && !endpoints.has(name),
    );
    const { index } = this.#options;
    return [
      ...(this.#stream ? [] : [`client ${index} has no stream`]),
      ...without.slice(0, 1).map((name) => `client ${index} has no endpoints for ${name}`),
    ];
  }

  #open(): void {
    this.lives += 1;
    this.#hasRefused = false;
    const stream: Stream = this.#client.deltaAggregatedResources();
    this.#stream = stream;
    stream.on("data", (response: DeltaDiscoveryResponse) => {
      if (this.#stream !== stream) return;
      if (this.#lags) this.#unread.push(response);
      else this.#read(response);
    });
    stream.on("error", () => {
      if (this.#stream !== stream) return;
      this.vanish();
      this.#retry = setTimeout(() => this.#open(), 50 + this.#options.random(200));
    });
    this.#send(this.#state.open());
  }

  #reconnect(): void {
    this.vanish();
    this.#open();
  }

  #catchUp(): void {
    this.#lags = false;
    for (const response of this.#unread.splice(0)) this.#read(response);
  }

  #read(response: DeltaDiscoveryResponse): void {
    this.#send(this.#state.receive(response));
  }

  #send(requests: DeltaDiscoveryRequest[]): void {
    for (const request of requests) this.#stream?.write(request);
  }

  /** Endpoints of the clusters that came are asked for, and of those that went no more. */
  #follow({ added, removed }: ResourceUpdate): void {
    const names = added.map(({ name }) => name).filter((name) => name.startsWith("outbound|"));
    queueMicrotask(() => {
      if (names.length > 0) this.#send(this.#state.subscribe(TypeUrl.endpoint, names));
      if (removed.length > 0) this.#send(this.#state.unsubscribe(TypeUrl.endpoint, removed));
    });
  }

  #refused({ added }: ResourceUpdate): ReadonlyMap<string, string> {
    const one = this.#refuses ? added[this.#options.random(Math.max(1, added.length))] : undefined;
    if (!one) return new Map();
    this.#hasRefused = true;
    return new Map([[one.name, "chaos will have none of it"]]);
  }
}
