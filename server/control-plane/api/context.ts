import type { ResourceKey } from "../../config/object.ts";
import type { ConfigChange, ConfigStore } from "../../config/store.ts";
import type {
  CanaryView,
  EnvoyPreview,
  KnownProxy,
  MeshService,
  ProxyLoad,
  PushLatency,
  PushStatus,
  PushSummary,
  RateLimitUse,
} from "../../contract/index.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { MeshProxy } from "../../model/proxy.ts";
import type { Foretold } from "../foretell.ts";
import type { ValidatedKind } from "../istiod-metrics.ts";
import type { RegisteredEntries } from "../registration/registered-store.ts";
import type { KindIndex } from "./kind-index.ts";
import type { IdentityAdmin } from "./limpid/identities.ts";

/** What the push queue knows, as the API shows it. */
export interface PushReader {
  /** How a revision reached the fleet; undefined when it was never pushed or is forgotten. */
  get(revision: number | "latest"): PushStatus | undefined;
  /** The newest first; unset: nobody remembers any. */
  history?(): PushSummary[];
  /** How long the pushes of the last day took. */
  latency(): PushLatency;
  /** How many proxies a change of these objects concerns. */
  affected(keys: readonly ResourceKey[]): number;
  /**
   * What changes that are not made yet would mean for the connected proxies, and what of it they would refuse; unset: not known. `shown`
   * false: resources are not shown.
   */
  preview?(
    changes: readonly ConfigChange[],
    options?: { shown?: boolean },
  ): Promise<{ envoy: EnvoyPreview; refusals: readonly Foretold[] }>;
}

export type GatewayProxy = Pick<MeshProxy, "namespace" | "labels" | "canonicalService">;
/** Who was connected since when, as the API shows it. */
export interface KnownProxiesReader {
  list(): KnownProxy[];
  /** One that is gone for good. */
  forget(id: string): "forgotten" | "connected" | "unknown";
}

/** What the servers of load reports and of rate limits know at the moment. */
export interface UseReader {
  loads(): ReadonlyMap<string, readonly ProxyLoad[]>;
  rateLimits(): readonly LimitInUse[];
}

interface LimitInUse {
  domain: string;
  descriptor: string;
  limit: Pick<RateLimitUse, "name" | "unit" | "requestsPerUnit" | "shadow">;
  count: number;
  endMs: number;
}

/** What every handler may use. */
export interface ApiContext {
  store: ConfigStore;
  kinds: KindIndex;
  /** Workloads that registered themselves; unset: there are none. */
  registered?: RegisteredEntries;
  clock: Clock;
  logger: Logger;
  services(): Promise<MeshService[]>;
  /** The mesh with every commit in it, also those that are not pushed yet. */
  mesh(): Promise<Mesh>;
  /** Gateway proxies that are connected; undefined: nobody knows them here. */
  gatewayProxies(): readonly GatewayProxy[] | undefined;
  pushes: PushReader;
  proxies: KnownProxiesReader;
  /** What was measured last of a canary that runs, `<namespace>/<name>`. */
  liveCanary(key: string): CanaryView["live"];
  /** Undefined: there is no certificate authority. */
  identities(): IdentityAdmin | undefined;
  /** Undefined: nothing is known of it here. */
  use: UseReader | undefined;
  /** Told of each object that somebody wanted to write; unset: nobody counts. */
  validated?(kind: ValidatedKind, valid: boolean): void;
  /** Prometheus text of `/metrics`. */
  metrics(): string;
  /** False keeps `/readyz` at 503. */
  ready(): boolean;
  /** What else has to be so for `/readyz`, each with a problem where it isn't. */
  checks(): readonly { name: string; problem?: string | undefined }[];
  /** Aborted when the server closes: ends watches. */
  closing: AbortSignal;
}
