import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  Capability_Protocol,
  type ClusterEndpointsHealth,
  type ClusterHealthCheck,
  type HealthCheckSpecifier,
  HealthCheckSpecifierSchema,
  HealthDiscoveryService,
  type HealthCheckRequestOrEndpointHealthResponse as Message,
  HealthCheckRequestOrEndpointHealthResponseSchema as MessageSchema,
} from "../../gen/proto/envoy/service/health/v3/hds_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { durationMs } from "../duration.ts";
import type { Counter, Stats } from "../stats.ts";

/** Who probes what the server asks for. */
export interface ProbingPort {
  /** In the place of what was probed before. @returns what of it cannot be probed, and why */
  setProbes(asked: readonly ClusterHealthCheck[]): readonly string[];
  /** What was found so far. */
  probes(): ClusterEndpointsHealth[];
}

export interface HealthDiscoveryOptions {
  node: Node;
  /** Undefined: not to be had now. */
  channel(): Client | undefined;
  plane: ProbingPort;
  /** Other endpoints are probed now. */
  onAsked(): void;
  stats: Stats;
  clock: Clock;
  logger: Logger;
}

/**
 * Offers a server to probe endpoints, probes those that it names, and tells what it finds as often as it says. What was asked stays so while the server is away.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/health/v3/hds.proto
 */
export class HealthDiscovery {
  readonly #options: HealthDiscoveryOptions;
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 30_000 });
  /** Of the server, in Envoy's words: what it asks are requests. */
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #errors: Counter;
  readonly #updates: Counter;
  #asked: HealthCheckSpecifier | undefined;
  #stream: Stream | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(options: HealthDiscoveryOptions) {
    this.#options = options;
    const counter = (name: string) => options.stats.counter(`hds_delegate.${name}`);
    this.#requests = counter("requests");
    this.#responses = counter("responses");
    this.#errors = counter("errors");
    this.#updates = counter("updates");
  }

  start(): void {
    const channel = this.#options.channel();
    if (channel === undefined) {
      this.#again();
      return;
    }
    const { parent, name } = HealthDiscoveryService.method.streamHealthCheck;
    const stream: Stream = channel.makeBidiStreamRequest(
      `/${parent.typeName}/${name}`,
      (message: Message) => Buffer.from(toBinary(MessageSchema, message)),
      (bytes: Buffer) => fromBinary(HealthCheckSpecifierSchema, bytes),
    );
    this.#stream = stream;
    stream.on("data", (specifier) => {
      if (this.#stream === stream) this.#follow(specifier);
    });
    stream.on("error", () => {}); // its status follows
    stream.on("status", () => {
      if (this.#stream !== stream) return;
      this.#errors.inc();
      this.#again();
    });
    const { node } = this.#options;
    this.#send({ case: "healthCheckRequest", value: { node, capability: { healthCheckProtocols } } });
  }

  stop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#timer?.cancel();
    stream?.cancel();
  }

  #again(): void {
    this.#stream = undefined;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(() => this.start(), this.#backoff.next());
  }

  #follow(specifier: HealthCheckSpecifier): void {
    this.#requests.inc();
    this.#backoff.reset();
    const same = this.#asked !== undefined && equals(HealthCheckSpecifierSchema, this.#asked, specifier);
    this.#asked = specifier;
    if (!same) {
      this.#updates.inc();
      const { plane, onAsked, logger } = this.#options;
      const refused = plane.setProbes(specifier.clusterHealthChecks);
      if (refused.length > 0) logger.warn({ refused: refused.slice(0, maxTold) }, "some endpoints cannot be probed");
      onAsked();
    }
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.cancel();
    const everyMs = durationMs(this.#asked?.interval) ?? defaultMs;
    // A shorter one is somebody's mistake, and costs both sides.
    this.#timer = this.#options.clock.setTimeout(() => this.#report(), Math.max(everyMs, leastMs));
  }

  #report(): void {
    // Who does not read is told with the next report, which says the same or newer.
    if (this.#stream?.writableNeedDrain === false) {
      const clusterEndpointsHealth = this.#options.plane.probes();
      this.#responses.inc();
      this.#send({ case: "endpointHealthResponse", value: { clusterEndpointsHealth } });
    }
    this.#schedule();
  }

  #send(requestType: MessageInitShape<typeof MessageSchema>["requestType"]): void {
    this.#stream?.write(create(MessageSchema, { requestType }));
  }
}

type Stream = ClientDuplexStream<Message, HealthCheckSpecifier>;

/** There is no word for gRPC; who asks for it gets it. */
const healthCheckProtocols = [Capability_Protocol.HTTP, Capability_Protocol.TCP];
/** Envoy's where the server says none. */
const defaultMs = 1_000;
const leastMs = 100;
/** Of what is refused, so many are in the log. */
const maxTold = 10;
