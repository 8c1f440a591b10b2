import type { Clock } from "../../lib/clock.ts";
import { TypeUrl } from "../../xds/types.ts";

/** Envoy's ServerInfo.State. */
export type ServerState = "LIVE" | "DRAINING" | "PRE_INITIALIZING" | "INITIALIZING";

interface InitializationOptions {
  clock: Clock;
  /** Which wildcard types the bootstrap asks for; none means that there is nothing to wait for. */
  clusters: boolean;
  listeners: boolean;
  timeoutMs: number;
  /** What is referred to and not yet answered, of a by-name type. */
  pending: () => number;
  onLive: () => void;
}

/**
 * When the proxy counts as live: its first clusters and listeners are in, and what these refer to is answered, or `initial_fetch_timeout` has
 * passed without progress. Live is for good; losing the control plane later changes nothing.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/init
 */
export class Initialization {
  readonly #options: InitializationOptions;
  readonly #seen = new Set<TypeUrl>();
  #timer: { cancel(): void } | undefined;
  #live = false;

  constructor(options: InitializationOptions) {
    this.#options = options;
    this.#restart();
    this.#check();
  }

  get state(): ServerState {
    if (this.#live) return "LIVE";
    return this.#options.clusters && !this.#seen.has(TypeUrl.cluster) ? "PRE_INITIALIZING" : "INITIALIZING";
  }

  onUpdate(typeUrl: TypeUrl): void {
    if (this.#live) return;
    const first = !this.#seen.has(typeUrl);
    this.#seen.add(typeUrl);
    if (first) this.#restart();
    this.#check();
  }

  /** Something that `pending` counts may have come to pass. */
  check(): void {
    if (!this.#live) this.#check();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #restart(): void {
    this.#timer?.cancel();
    // Zero means to wait without end.
    if (this.#options.timeoutMs === 0) return;
    this.#timer = this.#options.clock.setTimeout(() => this.#goLive(), this.#options.timeoutMs);
  }

  #check(): void {
    const { clusters, listeners, pending } = this.#options;
    if (clusters && !this.#seen.has(TypeUrl.cluster)) return;
    if (listeners && !this.#seen.has(TypeUrl.listener)) return;
    if (pending() === 0) this.#goLive();
  }

  #goLive(): void {
    if (this.#live) return;
    this.#live = true;
    this.#timer?.cancel();
    this.#options.onLive();
  }
}
