import type { Resource } from "./types.ts";

export type Protocol = "delta" | "sotw";

/** The parts of a (Delta)DiscoveryRequest that move the state, alike for both protocols. */
export interface SubscriptionRequest {
  /** Delta: names to add. State of the world: all names. */
  subscribe: readonly string[];
  /** Delta only. */
  unsubscribe?: readonly string[];
  /** Delta, first request: what the client still holds. */
  initialVersions?: ReadonlyMap<string, string>;
  responseNonce: string;
  error?: string;
}

/** One response to send. */
export interface Push {
  nonce: string;
  /** State of the world: of the whole response. */
  version: string;
  resources: readonly Resource[];
  /** Those that the client does not hold like this, or asked for again: not what only completes a whole state. */
  fresh: readonly Resource[];
  removed: readonly string[];
  /** Those that the client is told of without their content, lest it drop them. */
  heartbeats?: readonly Resource[];
}

export type Outcome =
  | { kind: "ack" }
  | { kind: "nack"; message: string; refused: ReadonlyMap<string, string> }
  | { kind: "request" | "stale" };

/** `add` before `remove`, over all types of a client: make before break. */
export type Phase = "add" | "remove";
