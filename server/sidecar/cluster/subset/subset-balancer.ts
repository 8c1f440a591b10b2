import type { MatchCriteria } from "../../match/criteria.ts";
import type { Stats } from "../../stats.ts";
import type { Balancer, PickContext } from "../balancer.ts";
import type { Endpoint } from "../endpoint.ts";
import type { PriorityBalancer } from "../priorities.ts";
import { isLike, split } from "./split.ts";
import type { SubsetConfig, SubsetSelector } from "./subset-config.ts";
import { SubsetStats } from "./subset-stats.ts";

export interface SubsetParts {
  readonly config: SubsetConfig;
  /** Of the cluster: `cluster.<name>.` */
  readonly stats: Stats;
  readonly prefix: string;
  /** Balances over some of the cluster's endpoints, as the cluster does over all. */
  readonly balance: (endpoints: readonly Endpoint[], whole: readonly Endpoint[]) => PriorityBalancer;
}

/**
 * Picks among the endpoints whose metadata is what the request asks for.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/subsets
 */
export class SubsetBalancer implements Balancer {
  private readonly parts: SubsetParts;
  private readonly endpoints: readonly Endpoint[];
  private readonly stats: SubsetStats;
  private readonly byKey = new Map<string, Lazy>();
  private readonly selectors: ReadonlyMap<string, SubsetSelector>;
  private readonly any: Lazy;
  private readonly byDefault: Lazy;

  /** @param before what it takes the place of; undefined: nothing that split */
  constructor(endpoints: readonly Endpoint[], parts: SubsetParts, before: SubsetBalancer | undefined) {
    const { config } = parts;
    this.parts = parts;
    this.endpoints = endpoints;
    this.stats = before?.stats ?? new SubsetStats(parts.stats, parts.prefix);
    const { subsets, duplicates } = split(endpoints, config);
    for (const [key, { single, endpoints: members }] of subsets) {
      this.byKey.set(key, single ? firstOf(members) : this.lazy([...members]));
    }
    this.selectors = reachable(config.selectors);
    this.any = this.lazy(endpoints);
    this.byDefault = this.lazy(endpoints.filter((it) => isLike(it, config.defaultSubset, config.listAsAny)));
    this.stats.changed(before?.byKey.keys() ?? [], this.byKey, duplicates);
  }

  /** Loads that a retry has found are of the whole cluster's priorities, and say nothing of a subset's. */
  pick(asked: PickContext, attempt?: number): Endpoint | undefined {
    const context = asked.load === undefined ? asked : { ...asked, load: undefined };
    const { criteria } = context;
    const list = this.parts.config.fallbackList ? criteria?.values.fallback_list : undefined;
    if (criteria === undefined || list === undefined) return this.pickFor(criteria, context, attempt);
    const rest = criteria.only(new Set(criteria.names.filter((name) => name !== "fallback_list")));
    const choices = Array.isArray(list) ? list : [];
    if (choices.length === 0) return this.pickFor(rest, context, attempt);
    for (const choice of choices) {
      const values = typeof choice === "object" && choice !== null && !Array.isArray(choice) ? choice : {};
      const picked = this.pickFor(rest.merged(values), context, attempt);
      if (picked !== undefined) return picked;
    }
    return undefined;
  }

  /** The cluster is split no more, or gone. */
  close(): void {
    this.stats.changed(this.byKey.keys(), new Map(), 0);
  }

  private pickFor(asked: MatchCriteria | undefined, context: PickContext, attempt?: number): Endpoint | undefined {
    const { config } = this.parts;
    const criteria = config.allowRedundantKeys ? this.withoutRedundant(asked) : asked;
    if (criteria !== undefined) {
      const subset = this.byKey.get(criteria.key);
      if (subset !== undefined) {
        this.stats.selected.inc();
        return subset.pick(context, attempt);
      }
      const selector = this.selectors.get(namesKey(criteria.names));
      if (selector?.fallback !== undefined) return this.fallBack(selector, criteria, context, attempt);
    }
    if (config.fallback === "none") return undefined;
    const picked = (config.fallback === "any" ? this.any : this.byDefault).pick(context, attempt);
    if (picked !== undefined) this.stats.fallback.inc();
    if (picked !== undefined || !config.panicModeAny) return picked;
    const panicked = this.any.pick(context, attempt);
    if (panicked !== undefined) this.stats.panic.inc();
    return panicked;
  }

  private fallBack(
    { fallback, fallbackKeys }: SubsetSelector,
    criteria: MatchCriteria,
    context: PickContext,
    attempt?: number,
  ): Endpoint | undefined {
    switch (fallback) {
      case "any":
        return this.any.pick(context, attempt);
      case "default":
        return this.byDefault.pick(context, attempt);
      case "keys":
        return this.pickFor(criteria.only(fallbackKeys), context, attempt);
      default:
        return undefined;
    }
  }

  private withoutRedundant(criteria: MatchCriteria | undefined): MatchCriteria | undefined {
    if (criteria === undefined) return undefined;
    for (const { keys } of this.parts.config.selectors) {
      if ([...keys].every((key) => key in criteria.values)) return criteria.only(keys);
    }
    return criteria;
  }

  private lazy(members: readonly Endpoint[]): Lazy {
    let balancer: PriorityBalancer | undefined;
    return {
      pick: (context, attempt) => {
        balancer ??= this.parts.balance(members, this.endpoints);
        return balancer.pick(context, attempt);
      },
    };
  }
}

/** Made with the first pick: most subsets of a cluster are asked for by somebody else. */
type Lazy = Pick<Balancer, "pick">;

function firstOf(members: ReadonlySet<Endpoint>): Lazy {
  const [only] = [...members];
  return { pick: () => only };
}

/**
 * By the names of their keys. As in Envoy, whose selectors are a tree of names, one whose keys are the first of an earlier one's has no fallback of its own.
 */
function reachable(selectors: readonly SubsetSelector[]): Map<string, SubsetSelector> {
  const seen = new Set<string>();
  const byNames = new Map<string, SubsetSelector>();
  for (const selector of selectors) {
    const names = [...selector.keys].sort();
    const whole = namesKey(names);
    if (!seen.has(whole)) byNames.set(whole, selector);
    for (let length = 1; length <= names.length; length++) seen.add(namesKey(names.slice(0, length)));
  }
  return byNames;
}

const namesKey = (names: readonly string[]): string => JSON.stringify(names);
