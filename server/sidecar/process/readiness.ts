import { systemClock } from "../../lib/clock.ts";
import type { TypeUrl } from "../../xds/types.ts";
import type { SidecarBootstrap } from "../bootstrap/read-bootstrap.ts";
import { Initialization, type ServerState } from "../xds/initialization.ts";

/** Whether the proxy is ready: what discovery has answered, what operators have said, and whether it is about to end. */
export class Readiness {
  /** Told to by the admin: load balancers in front shall send no more. */
  healthFails = false;
  draining = false;
  /** False: nobody serves until the first worker is back. */
  readonly #serves: () => boolean;
  #initialization: Initialization | undefined;

  constructor(serves: () => boolean) {
    this.#serves = serves;
  }

  get state(): ServerState {
    if (this.draining || this.healthFails) return "DRAINING";
    if (this.#initialization?.state === "LIVE" && !this.#serves()) return "INITIALIZING";
    return this.#initialization?.state ?? "PRE_INITIALIZING";
  }

  /** @param pending how many things are referred to and not there yet */
  begin(ads: SidecarBootstrap["ads"], pending: () => number, onLive: () => void): void {
    this.#initialization = new Initialization({
      clock: systemClock,
      clusters: ads?.clusters ?? false,
      listeners: ads?.listeners ?? false,
      timeoutMs: ads?.initialFetchTimeoutMs ?? 0,
      pending,
      onLive,
    });
  }

  onUpdate(typeUrl: TypeUrl): void {
    this.#initialization?.onUpdate(typeUrl);
  }

  /** Something that was pending may be there. */
  check(): void {
    this.#initialization?.check();
  }

  close(): void {
    this.#initialization?.close();
  }
}
