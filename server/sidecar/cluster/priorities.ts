import { modulo64, random64 } from "../hash/word64.ts";
import type { Counter } from "../stats.ts";
import { type Balancer, type BalancerIo, createBalancer, type PickContext } from "./balancer.ts";
import { type BalancerConfig, usesHash } from "./balancer-config.ts";
import { HashTables } from "./balancer-hash.ts";
import type { Endpoint } from "./endpoint.ts";
import { byLocality, flatWeights, type LocalityWeight } from "./locality-balancer.ts";
import {
  availability,
  defaultPriorityPolicy,
  distribute,
  type HostSet,
  hostSets,
  type PriorityLoad,
  type PriorityPolicy,
  type PriorityState,
  priorityState,
} from "./priority-load.ts";

export interface PriorityOptions {
  readonly config: BalancerConfig;
  /** In percent. */
  readonly panicThreshold: number;
  readonly localityWeighted: boolean;
  readonly policy?: PriorityPolicy;
  readonly tables?: HashTables;
  /** Counts picks among all hosts of a priority that panics. */
  readonly panics?: Counter;
  /** In place of the localities' own weights. */
  readonly localityWeight?: LocalityWeight;
}

/**
 * Spreads load over priorities by their health, and falls back to all endpoints of a priority when too few are healthy (panic).
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 */
export class PriorityBalancer implements Balancer {
  private readonly options: PriorityOptions;
  private readonly io: BalancerIo;
  private readonly policy: PriorityPolicy;
  private readonly tables: HashTables;
  private readonly sets: readonly HostSet[];
  private readonly state: PriorityState;
  /** Made with the first use: maglev's tables are large, and most parts of a cluster get nothing. */
  private readonly made = new Map<string, Balancer>();
  /** When all load goes to one place. */
  private readonly only: Balancer | undefined;

  constructor(endpoints: readonly Endpoint[], options: PriorityOptions, io: BalancerIo) {
    this.options = options;
    this.io = io;
    this.policy = options.policy ?? defaultPriorityPolicy;
    this.tables = options.tables ?? new HashTables();
    this.tables.turn();
    this.sets = hostSets(endpoints);
    this.state = priorityState(this.sets, this.policy, options.panicThreshold);
    const whole = this.state.load.healthy.indexOf(100);
    this.only = whole === -1 ? undefined : this.part(whole, "healthy");
  }

  pick(context: PickContext, attempt?: number): Endpoint | undefined {
    if (this.only !== undefined && context.load === undefined) return this.only.pick(context, attempt);
    if (this.sets.length === 0) return undefined;
    const { config } = this.options;
    const hashes = usesHash(config);
    // One number decides over priority and host, as in Envoy.
    const hash = hashes ? (context.hash ?? random64(this.io.random)) : undefined;
    const at = hash === undefined ? Math.floor(this.io.random() * 100) : modulo64(hash, 100);
    const { healthy, degraded } = (hashes ? undefined : context.load) ?? this.state.load;
    const within = hash === undefined ? context : { ...context, hash };
    let end = 0;
    for (const [index, load] of healthy.entries()) {
      end += load;
      if (at < end) return this.part(index, "healthy").pick(within, attempt);
    }
    for (const [index, load] of degraded.entries()) {
      end += load;
      // Tables are made of healthy hosts only.
      if (at < end) return this.part(index, hashes ? "healthy" : "degraded").pick(within, attempt);
    }
    return undefined;
  }

  /** The load with some priorities left out; when nothing would be left, none is. `priorities` is told of those. */
  loadWithout(priorities: Set<number>): PriorityLoad {
    const keep = (part: "healthy" | "degraded") =>
      this.sets.map((set) => (priorities.has(set.priority) ? 0 : availability(set, set[part], this.policy)));
    for (;;) {
      const healthy = keep("healthy");
      const degraded = keep("degraded");
      const total = Math.min(
        100,
        [...healthy, ...degraded].reduce((sum, it) => sum + it, 0),
      );
      if (total > 0) return distribute(healthy, degraded, total);
      if (priorities.size === 0) return this.state.load;
      priorities.clear();
    }
  }

  private part(index: number, kind: "healthy" | "degraded"): Balancer {
    const key = `${kind} ${index}`;
    let balancer = this.made.get(key);
    if (balancer === undefined) {
      balancer = this.make(index, kind);
      this.made.set(key, balancer);
    }
    return balancer;
  }

  private make(index: number, kind: "healthy" | "degraded"): Balancer {
    const set = this.sets[index] as HostSet;
    const panics = this.state.panics[index] === true;
    const balancer = this.among(set, panics ? set.hosts : set[kind], panics);
    const counter = this.options.panics;
    if (!panics || counter === undefined) return balancer;
    return {
      pick: (context, attempt) => {
        if (attempt === undefined) counter.inc();
        return balancer.pick(context, attempt);
      },
    };
  }

  private among(set: HostSet, endpoints: readonly Endpoint[], panics: boolean): Balancer {
    const { config, localityWeighted, localityWeight } = this.options;
    if (usesHash(config)) {
      const weights = localityWeighted ? flatWeights(endpoints, localityWeight) : undefined;
      const hosts = weights === undefined ? endpoints : endpoints.filter((it) => weights.has(it));
      const table = this.tables.get(config, hosts, weights);
      return { pick: ({ hash }, attempt = 0) => table(hash ?? random64(this.io.random), attempt) };
    }
    const within = (members: readonly Endpoint[]) => createBalancer(config, members, this.io);
    const local =
      localityWeighted && !panics ? byLocality(set, endpoints, this.policy, within, localityWeight) : undefined;
    return local ?? within(endpoints);
  }
}
