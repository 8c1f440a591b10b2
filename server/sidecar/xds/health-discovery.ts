import { equals, type MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  Capability_Protocol,
  type ClusterEndpointsHealth,
  type ClusterHealthCheck,
  type HealthCheckSpecifier,
  HealthCheckSpecifierSchema,
  HealthDiscoveryService,
  type HealthCheckRequestOrEndpointHealthResponseSchema as MessageSchema,
} from "../../gen/proto/envoy/service/health/v3/hds_pb.js";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { durationMs } from "../duration.ts";
import type { Counter, Stats } from "../stats.ts";
import { LastingStream } from "./lasting-stream.ts";

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
  readonly #stream: LastingStream<typeof MessageSchema, typeof HealthCheckSpecifierSchema>;
  /** Of the server, in Envoy's words: what it asks are requests. */
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #updates: Counter;
  #asked: HealthCheckSpecifier | undefined;

  constructor(options: HealthDiscoveryOptions) {
    const { node, channel, clock, stats } = options;
    this.#options = options;
    const counter = (name: string) => stats.counter(`hds_delegate.${name}`);
    this.#requests = counter("requests");
    this.#responses = counter("responses");
    this.#updates = counter("updates");
    const errors = counter("errors");
    this.#stream = new LastingStream({
      method: HealthDiscoveryService.method.streamHealthCheck,
      channel,
      clock,
      onOpen: () => this.#send({ case: "healthCheckRequest", value: { node, capability: { healthCheckProtocols } } }),
      onMessage: (specifier) => this.#follow(specifier),
      onLost: (ended) => {
        if (ended) errors.inc();
      },
    });
  }

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
  }

  #follow(specifier: HealthCheckSpecifier): void {
    this.#requests.inc();
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
    this.#stream.later(() => this.#report(), durationMs(this.#asked?.interval) ?? defaultMs);
  }

  #report(): void {
    // Who does not read is told with the next report, which says the same or newer.
    if (this.#stream.takes) {
      const clusterEndpointsHealth = this.#options.plane.probes();
      this.#responses.inc();
      this.#send({ case: "endpointHealthResponse", value: { clusterEndpointsHealth } });
    }
    this.#schedule();
  }

  #send(requestType: MessageInitShape<typeof MessageSchema>["requestType"]): void {
    this.#stream.send({ requestType });
  }
}

/** There is no word for gRPC; who asks for it gets it. */
const healthCheckProtocols = [Capability_Protocol.HTTP, Capability_Protocol.TCP];
/** Envoy's where the server says none. */
const defaultMs = 1_000;
/** Of what is refused, so many are in the log. */
const maxTold = 10;
