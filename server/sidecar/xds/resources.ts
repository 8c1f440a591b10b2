import { create, type DescMessage, fromBinary, type JsonObject, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener, ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { type Secret, SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { RuntimeSchema } from "../../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import type { Clock } from "../../lib/clock.ts";
import type { ReceivedResource, ResourceHandlers, ResourceUpdate } from "../../xds/client/delta-state.ts";
import { TypeUrl } from "../../xds/types.ts";
import { statName } from "../cluster/cluster-stats.ts";
import { redacted } from "../secret/redact.ts";
import type { Stats } from "../stats.ts";
import type { ConfigState } from "./config-state.ts";
import type { OwnSecrets } from "./own-secrets.ts";

/** What discovery tells the data path. Setters return what is wrong with a resource, empty when it is in force. */
export interface DataPlanePort {
  setCluster(cluster: Cluster): readonly string[];
  removeCluster(name: string): void;
  setEndpoints(assignment: ClusterLoadAssignment): readonly string[];
  setSecret(secret: Secret): readonly string[];
  setListener(listener: Listener): readonly string[];
  removeListener(name: string): void;
  setRouteConfiguration(config: RouteConfiguration): readonly string[];
  /** `resourceName` is `<route configuration>/<virtual host>`. */
  setVirtualHost(routeConfigName: string, virtualHost: VirtualHost, resourceName: string): readonly string[];
  removeVirtualHost(resourceName: string): void;
  /** EDS names that its clusters refer to. Of all that is required: the same list may come again only while it says the same. */
  requiredEndpoints(): Iterable<string>;
  /** RDS names that its listeners refer to. */
  requiredRoutes(): Iterable<string>;
  /** SDS names that its clusters and listeners refer to. */
  requiredSecrets(): Iterable<string>;
  /** A filter's config. */
  setExtension(extension: TypedExtensionConfig): readonly string[];
  removeExtension(name: string): void;
  /** ECDS names that its listeners refer to, with how long they wait for each, in milliseconds. */
  requiredExtensions(): ReadonlyMap<string, number>;
  /** Whether any of its route configurations takes virtual hosts from VHDS. */
  wantsVhds(): boolean;
}

/** The part of the ADS client that is needed here. */
interface Subscriber {
  subscribe(typeUrl: TypeUrl, names: Iterable<string> | "*"): void;
  unsubscribe(typeUrl: TypeUrl, names: Iterable<string>): void;
}

interface XdsResourcesOptions {
  plane: DataPlanePort;
  state: ConfigState;
  stats: Stats;
  clock: Clock;
  /** `initial_fetch_timeout`: for how long something that is referred to may stay unanswered. Zero: without end. */
  fetchTimeoutMs: number;
  /** Layers of the runtime that discovery fills; absent: none. */
  runtime?: { readonly layers: readonly string[]; set(name: string, values: JsonObject): void };
  /** After every update, also after one was given up. */
  onUpdate(typeUrl: TypeUrl): void;
  /** Hears what has come into force, for processes that are to hold the same. */
  followers?: Followers | undefined;
  /** What is not to be asked for. */
  ownSecrets?: OwnSecrets | undefined;
}

export interface Followers {
  /** @param removed gone, or nobody's */
  changed(typeUrl: TypeUrl, added: readonly ReceivedResource[], removed: readonly string[]): void;
  /** Nobody refers to them any more, which a follower finds out by itself. */
  forgotten(typeUrl: TypeUrl, names: readonly string[]): void;
}

/**
 * Puts what discovery sends into the data path and derives from the data path what to ask for: clusters name endpoints, listeners name
 * routes, routes name VHDS, both of the first secrets. A refused resource is reported by name; the others of its update, and its own last good version, stand.
 */
export class XdsResources {
  readonly handlers: ResourceHandlers;
  readonly #options: XdsResourcesOptions;
  readonly #plane: DataPlanePort;
  readonly #state: ConfigState;
  /** What is asked for by name, and what of it was answered, be it with "does not exist". */
  readonly #subscribed = new Map<TypeUrl, Set<string>>();
  readonly #answered = new Map<TypeUrl, Set<string>>();
  /** The lists by which `#subscribed` was made: the same list says the same. */
  readonly #required = new Map<TypeUrl, Iterable<string>>();
  readonly #missing = new Map<TypeUrl, (name: string) => void>();
  readonly #timers = new Set<{ cancel(): void }>();
  #subscriber: Subscriber | undefined;
  #vhds = false;

  constructor(options: XdsResourcesOptions) {
    const { plane, state } = options;
    this.#options = options;
    this.#plane = plane;
    this.#state = state;
    const statics = new Set(state.bootstrap.staticResources?.clusters.map(({ name }) => name));
    this.handlers = {
      // A static cluster or listener is not discovery's to change: Envoy ignores such an update, and so do we.
      [TypeUrl.cluster]: this.#handler(TypeUrl.cluster, ClusterSchema, {
        set: (_, cluster) => (statics.has(cluster.name) ? [] : plane.setCluster(cluster)),
        remove: (name) => {
          if (!statics.has(name)) plane.removeCluster(name);
        },
      }),
      [TypeUrl.listener]: this.#handler(TypeUrl.listener, ListenerSchema, {
        set: (_, listener) => plane.setListener(listener),
        remove: (name) => plane.removeListener(name),
      }),
      // What is still referred to keeps its last good version when the server says that it is gone, as in Envoy.
      [TypeUrl.endpoint]: this.#handler(TypeUrl.endpoint, ClusterLoadAssignmentSchema, {
        set: (_, assignment) => plane.setEndpoints(assignment),
        missing: (name) => plane.setEndpoints(create(ClusterLoadAssignmentSchema, { clusterName: name })),
      }),
      [TypeUrl.route]: this.#handler(TypeUrl.route, RouteConfigurationSchema, {
        set: (_, config) => plane.setRouteConfiguration(config),
        missing: (name) => plane.setRouteConfiguration(create(RouteConfigurationSchema, { name })),
      }),
      // Whoever refers to a secret that doesn't come or doesn't exist waits for it as long as its own config says.
      [TypeUrl.secret]: this.#handler(TypeUrl.secret, SecretSchema, {
        set: (_, secret) => plane.setSecret(secret),
        shown: (secret) => toBinary(SecretSchema, redacted(SecretSchema, secret)),
      }),
      [TypeUrl.extensionConfig]: this.#handler(TypeUrl.extensionConfig, TypedExtensionConfigSchema, {
        set: (_, extension) => plane.setExtension(extension),
        remove: (name) => plane.removeExtension(name),
        missing: (name) => plane.removeExtension(name),
      }),
      [TypeUrl.runtime]: this.#handler(TypeUrl.runtime, RuntimeSchema, {
        set: (name, { layer }) => {
          options.runtime?.set(name, layer ?? {});
          return [];
        },
        remove: (name) => options.runtime?.set(name, {}),
      }),
      [TypeUrl.virtualHost]: this.#handler(TypeUrl.virtualHost, VirtualHostSchema, {
        set: (name, host) => plane.setVirtualHost(name.slice(0, Math.max(0, name.indexOf("/"))), host, name),
        remove: (name) => plane.removeVirtualHost(name),
      }),
    };
  }

  /** Begins to keep the subscriptions in step with what the data path refers to. */
  attach(subscriber: Subscriber, { clusters, listeners }: { clusters: boolean; listeners: boolean }): void {
    this.#subscriber = subscriber;
    if (clusters) subscriber.subscribe(TypeUrl.cluster, "*");
    if (listeners) subscriber.subscribe(TypeUrl.listener, "*");
    this.#syncSubscriptions();
  }

  /** The data path refers to other things now, which did not come from here. */
  refresh(): void {
    this.#syncSubscriptions();
  }

  /** How much of what is asked for by name has no answer yet. */
  get pending(): number {
    let pending = 0;
    for (const [typeUrl, names] of this.#subscribed) {
      const answered = this.#answered.get(typeUrl);
      for (const name of names) if (answered?.has(name) !== true) pending++;
    }
    return pending;
  }

  close(): void {
    this.#subscriber = undefined;
    for (const timer of this.#timers) timer.cancel();
  }

  #handler<D extends DescMessage>(typeUrl: TypeUrl, schema: D, actions: Actions<MessageShape<D>>) {
    this.#missing.set(typeUrl, actions.missing ?? (() => {}));
    const apply = (update: ResourceUpdate) => {
      const refused = new Map<string, string>();
      for (const resource of update.added) {
        const errors = this.#set(typeUrl, schema, resource, actions);
        if (errors.length > 0) refused.set(resource.name, errors.join("; "));
        if (typeUrl === TypeUrl.secret) this.#count(`sds.${statName(resource.name)}`, errors.length);
      }
      for (const name of update.removed) {
        if (actions.remove === undefined) continue;
        actions.remove(name);
        this.#state.removed(typeUrl, name);
      }
      this.#noteAnswered(
        typeUrl,
        update.added.map(({ name }) => name),
      );
      this.#giveUp(typeUrl, update.removed);
      const accepted = update.added.filter(({ name }) => !refused.has(name));
      this.#options.followers?.changed(typeUrl, accepted, update.removed);
      const prefix = statPrefix[typeUrl];
      if (prefix !== undefined) this.#count(prefix, refused.size);
      this.#syncSubscriptions();
      this.#options.onUpdate(typeUrl);
      return refused;
    };
    return { apply };
  }

  /** What is referred to and doesn't come, or doesn't exist, counts as empty, so that nothing waits for it for ever. */
  #giveUp(typeUrl: TypeUrl, names: Iterable<string>): void {
    const answered = this.#answered.get(typeUrl);
    const unanswered = [...names].filter((name) => this.#subscribed.get(typeUrl)?.has(name) && !answered?.has(name));
    this.#noteAnswered(typeUrl, unanswered);
    for (const name of unanswered) this.#missing.get(typeUrl)?.(name);
  }

  #set<D extends DescMessage>(
    typeUrl: TypeUrl,
    schema: D,
    { name, version, value }: ReceivedResource,
    { set, shown }: Actions<MessageShape<D>>,
  ): readonly string[] {
    let errors: readonly string[];
    // What cannot be read is not shown either, where there may be something to hide.
    let kept = shown === undefined ? value : new Uint8Array();
    try {
      const message = fromBinary(schema, value);
      if (shown !== undefined) kept = shown(message);
      errors = set(name, message);
    } catch (error) {
      errors = [error instanceof Error ? error.message : String(error)];
    }
    if (errors.length === 0) this.#state.accepted(typeUrl, name, version, kept);
    else this.#state.refused(typeUrl, name, version, kept, errors.join("; "));
    return errors;
  }

  #noteAnswered(typeUrl: TypeUrl, names: readonly string[]): void {
    const answered = this.#answered.get(typeUrl) ?? new Set();
    this.#answered.set(typeUrl, answered);
    for (const name of names) answered.add(name);
  }

  #count(prefix: string, refused: number): void {
    this.#options.stats.counter(`${prefix}.update_attempt`).inc();
    this.#options.stats.counter(`${prefix}.${refused === 0 ? "update_success" : "update_rejected"}`).inc();
  }

  #syncSubscriptions(): void {
    if (this.#subscriber === undefined) return;
    this.#sync(TypeUrl.endpoint, this.#plane.requiredEndpoints());
    this.#sync(TypeUrl.route, this.#plane.requiredRoutes());
    const secrets = this.#plane.requiredSecrets();
    this.#sync(TypeUrl.secret, this.#options.ownSecrets?.others(secrets, this.#plane) ?? secrets);
    this.#sync(TypeUrl.runtime, this.#options.runtime?.layers ?? []);
    const extensions = this.#plane.requiredExtensions();
    this.#sync(TypeUrl.extensionConfig, extensions.keys(), (name) => extensions.get(name));
    if (!this.#vhds && this.#plane.wantsVhds()) {
      this.#vhds = true;
      this.#subscriber.subscribe(TypeUrl.virtualHost, "*");
    }
  }

  /** @param timeoutOf how long something may stay unanswered, where it says so itself */
  #sync(typeUrl: TypeUrl, required: Iterable<string>, timeoutOf?: (name: string) => number | undefined): void {
    if (this.#required.get(typeUrl) === required) return;
    this.#required.set(typeUrl, required);
    const wanted = new Set(required);
    const subscribed = this.#subscribed.get(typeUrl) ?? new Set();
    const fresh = [...wanted].filter((name) => !subscribed.has(name));
    const gone = [...subscribed].filter((name) => !wanted.has(name));
    this.#subscribed.set(typeUrl, wanted);
    this.#state.expect(typeUrl, wanted);
    if (fresh.length > 0) {
      this.#subscriber?.subscribe(typeUrl, fresh);
      if (timeoutOf === undefined) this.#startTimer(typeUrl, fresh, this.#options.fetchTimeoutMs);
      else for (const name of fresh) this.#startTimer(typeUrl, [name], timeoutOf(name) ?? 0);
    }
    if (gone.length === 0) return;
    this.#subscriber?.unsubscribe(typeUrl, gone);
    this.#options.followers?.forgotten(typeUrl, gone);
    for (const name of gone) {
      this.#state.removed(typeUrl, name);
      this.#answered.get(typeUrl)?.delete(name);
    }
  }

  #isHeld(typeUrl: TypeUrl, name: string): boolean {
    return this.#state.of(typeUrl).get(name)?.active !== undefined;
  }

  #startTimer(typeUrl: TypeUrl, names: readonly string[], timeoutMs: number): void {
    const { clock, onUpdate } = this.#options;
    if (timeoutMs === 0) return;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      const before = this.pending;
      this.#giveUp(typeUrl, names);
      this.#options.followers?.changed(
        typeUrl,
        [],
        names.filter((name) => !this.#isHeld(typeUrl, name)),
      );
      if (this.pending !== before) onUpdate(typeUrl);
    }, timeoutMs);
    this.#timers.add(timer);
  }
}

interface Actions<Message> {
  set(name: string, message: Message): readonly string[];
  /** Without it a resource that the server calls gone stays in force while something refers to it. */
  remove?(name: string): void;
  /** What the config dump keeps; without it, what came. */
  shown?(message: Message): Uint8Array;
  /** Puts something empty in the place of what nobody has. */
  missing?(name: string): void;
}

/** Envoy's names, as far as they don't carry a resource's name. */
const statPrefix: Partial<Record<TypeUrl, string>> = {
  [TypeUrl.cluster]: "cluster_manager.cds",
  [TypeUrl.listener]: "listener_manager.lds",
  [TypeUrl.endpoint]: "cluster_manager.eds",
  [TypeUrl.route]: "http.rds",
  [TypeUrl.virtualHost]: "http.vhds",
};
