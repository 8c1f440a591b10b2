import type { ChannelCredentials, ChannelOptions, ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { AggregatedDiscoveryService } from "../../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { makeClient } from "../../lib/grpc.ts";
import type { Logger } from "../../lib/logger.ts";
import type { TypeUrl } from "../types.ts";
import { DeltaState, type ResourceHandlers } from "./delta-state.ts";

export interface AdsClient {
  start(): void;
  /** Ends the stream; what is held stays readable. */
  stop(): void;
  /** May be called at any time, also before start() and inside a handler. */
  subscribe(typeUrl: TypeUrl, names: Iterable<string> | "*"): void;
  unsubscribe(typeUrl: TypeUrl, names: Iterable<string>): void;
  /** What the workload beside it was found to be; undefined: well. Told again with each new stream. */
  reportHealth(problem: string | undefined): void;
  /** Name → version of what was accepted. */
  held(typeUrl: TypeUrl): ReadonlyMap<string, string>;
}

export interface AdsClientOptions {
  /** `host:port` of the control plane. */
  target: string;
  /** For TLS; asked for anew with every stream, so that certificates may be replaced. May throw: the stream is tried again later. */
  credentials?(): ChannelCredentials;
  channelOptions?: ChannelOptions;
  node: Node;
  logger: Logger;
  clock: Clock;
  handlers: ResourceHandlers;
  onConnection?(state: ConnectionState): void;
  backoff?: { baseMs: number; maxMs: number };
}

export type ConnectionState =
  | { state: "connecting" }
  | { state: "connected" }
  | { state: "disconnected"; reason: string; retryInMs: number };

type Stream = ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

/** Keeps one incremental ADS stream open, and what the handlers hold in step with the control plane. */
export function createAdsClient(options: AdsClientOptions): AdsClient {
  const { clock, logger } = options;
  const state = new DeltaState(options.node, options.handlers);
  const backoff = new Backoff(options.backoff ?? { baseMs: 100, maxMs: 5_000 });
  const open = (credentials?: ChannelCredentials) => {
    const settings = { ...channelOptions, ...options.channelOptions };
    return makeClient(AggregatedDiscoveryService, options.target, settings, credentials);
  };
  let channel: ReturnType<typeof open> | undefined;
  let stream: Stream | undefined;
  let retry: { cancel(): void } | undefined;
  let expiry: { cancel(): void } | undefined;
  let stopped = true;

  const send = (requests: DeltaDiscoveryRequest[]) => {
    for (const request of requests) stream?.write(request);
  };

  function connect(): void {
    if (stopped) return;
    options.onConnection?.({ state: "connecting" });
    try {
      const credentials = options.credentials?.();
      if (credentials !== undefined) channel?.close();
      if (credentials !== undefined || channel === undefined) channel = open(credentials);
    } catch (error) {
      retryLater(error instanceof Error ? error.message : String(error));
      return;
    }
    const mine = channel.deltaAggregatedResources();
    stream = mine;
    mine.on("metadata", () => {
      if (stream === mine) options.onConnection?.({ state: "connected" });
    });
    mine.on("data", (response: DeltaDiscoveryResponse) => {
      if (stream !== mine) return;
      backoff.reset();
      const answers = state.receive(response, performance.now());
      if (logger.isLevelEnabled("debug")) logger.debug(received(response, answers), "xds response");
      send(answers);
      watchExpiry();
    });
    // grpc-js reports every end of a stream as `error`, a clean one also as `end`.
    mine.on("error", (error: ServiceError) => lost(mine, error.details || error.message));
    mine.on("end", () => lost(mine, "the control plane closed the stream"));
    send(state.open());
  }

  /** Runs whether or not there is a stream: a control plane that is gone is what it is for. */
  function watchExpiry(): void {
    expiry?.cancel();
    const at = state.nextExpiry;
    if (at === undefined) return;
    expiry = clock.setTimeout(
      () => {
        state.expire(performance.now());
        watchExpiry();
      },
      Math.max(0, Math.ceil(at - performance.now())),
    );
  }

  function lost(which: Stream, reason: string): void {
    if (stream !== which) return;
    stream = undefined;
    state.close();
    if (!stopped) retryLater(reason);
  }

  function retryLater(reason: string): void {
    const retryInMs = backoff.next();
    logger.info({ target: options.target, reason, retryInMs }, "xds stream lost");
    options.onConnection?.({ state: "disconnected", reason, retryInMs });
    retry = clock.setTimeout(connect, retryInMs);
  }

  return {
    start() {
      if (!stopped) return;
      stopped = false;
      connect();
    },
    stop() {
      stopped = true;
      retry?.cancel();
      expiry?.cancel();
      const last = stream;
      stream = undefined;
      state.close();
      last?.cancel();
      channel?.close();
      channel = undefined;
    },
    subscribe: (typeUrl, names) => send(state.subscribe(typeUrl, names)),
    unsubscribe: (typeUrl, names) => send(state.unsubscribe(typeUrl, names)),
    reportHealth: (problem) => send(state.reportHealth(problem)),
    held: (typeUrl) => state.held(typeUrl),
  };
}

/** Of each response this many names are logged. */
const maxLogged = 20;

/** What came and how it was answered; never a resource itself: secrets are among them. */
function received(
  { typeUrl, resources, removedResources }: DeltaDiscoveryResponse,
  answers: readonly DeltaDiscoveryRequest[],
): Record<string, unknown> {
  const refused = answers.find(({ errorDetail }) => errorDetail !== undefined)?.errorDetail?.message;
  return {
    typeUrl,
    resources: resources.length,
    names: resources.slice(0, maxLogged).map(({ name }) => name),
    ...(removedResources.length > 0 && { removed: removedResources.slice(0, maxLogged) }),
    ...(refused !== undefined && { refused }),
  };
}

/**
 * The channel's own back-off must not hold up ours; a dead peer is noticed within 40 s;
 * a response may be large (a whole mesh), but not without end.
 */
const channelOptions = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  // One process may run many sidecars; each owns its connection and its failures.
  "grpc.use_local_subchannel_pool": 1,
};
