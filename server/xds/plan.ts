import type { Phase, Protocol } from "./exchange.ts";
import type { Interest } from "./interest.ts";
import type { Progress } from "./progress.ts";
import type { Refusals } from "./refusals.ts";
import { kindOf } from "./resource-kinds.ts";
import { stateVersionOf } from "./response-content.ts";
import { type Resource, type ResourceMap, TypeUrl } from "./types.ts";

/** What a response is to say, before it is cut to size. */
export interface Plan {
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
  /** State of the world. */
  readonly version?: string | undefined;
  /** It is the first group of suspects. */
  readonly suspects?: boolean;
}

export interface PlannerOptions {
  typeUrl: string;
  protocol: Protocol;
  interest: Interest;
  progress: Progress;
  refusals: Refusals;
}

/** What one client is to be told next, by how far it has come with a map that was looked at. */
export class Planner {
  readonly #options: PlannerOptions;
  /** Listeners and clusters on the state-of-the-world protocol: what a response leaves out is gone. */
  readonly #isWhole: boolean;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#isWhole = options.protocol === "sotw" && kindOf(options.typeUrl)?.wholeState === true;
  }

  /** `isDue`: there is to be an answer, even if it says nothing. */
  next(map: ResourceMap, phase: Phase, isDue: boolean): Plan | undefined {
    return phase === "add" ? (this.#suspectPlan(map) ?? this.#addPlan(map, isDue)) : this.#removePlan(map);
  }

  /** What the client holds that is there no more. */
  surplus(map: ResourceMap): { name: string; resource?: Resource }[] {
    const { open, held } = this.#options.progress;
    const surplus = [];
    for (const name of open) {
      const accepted = map.has(name) ? undefined : held.get(name);
      if (accepted) surplus.push({ name, resource: accepted.resource });
    }
    return surplus;
  }

  #suspectPlan(map: ResourceMap): Plan | undefined {
    const { progress, refusals } = this.#options;
    const group = refusals.nextSuspects(map, (resource) => progress.needs(resource));
    return group && { ...this.#groupPlan(group, map), suspects: true };
  }

  #groupPlan(group: Resource[], map: ResourceMap): Plan {
    if (!this.#isWhole) return { resources: group, removed: [], version: this.#stateVersion(map) };
    const inGroup = new Set(group.map(({ name }) => name));
    const rest = [...this.#options.progress.held.entries()].flatMap(([name, { resource }]) =>
      inGroup.has(name) ? [] : (resource ?? []),
    );
    return wholePlan([...rest, ...group]);
  }

  #addPlan(map: ResourceMap, isDue: boolean): Plan | undefined {
    const { typeUrl, protocol, progress } = this.#options;
    const needed = this.#needed(map);
    // A name that doesn't exist must be answered too: the client waits for it.
    const absent = protocol === "delta" ? [...progress.wanted].filter((name) => !map.has(name)) : [];
    if (needed.length === 0 && absent.length === 0 && !isDue) return undefined;
    if (!this.#isWhole) {
      // Virtual hosts of one table may hand a domain over: Envoy refuses the new holder while the old one stands, and takes both in one response.
      const gone = typeUrl === TypeUrl.virtualHost ? this.surplus(map).map(({ name }) => name) : [];
      return { resources: needed, removed: [...absent, ...gone], version: this.#stateVersion(map) };
    }
    return wholePlan([...this.#exact(map), ...this.surplus(map).flatMap(({ resource }) => resource ?? [])]);
  }

  /** In the map's own order, whichever way they came to be open: the same for every client that lacks the same. */
  #needed(map: ResourceMap): Resource[] {
    const { open } = this.#options.progress;
    if (open.size === 0) return [];
    const needed: Resource[] = [];
    if (open.size * 4 > map.size) {
      for (const [name, resource] of map) if (open.has(name)) needed.push(resource);
      return needed;
    }
    for (const name of open) {
      const resource = map.get(name);
      if (resource) needed.push(resource);
    }
    return needed;
  }

  #removePlan(map: ResourceMap): Plan | undefined {
    const { protocol, progress, refusals } = this.#options;
    const removed = this.surplus(map).map(({ name }) => name);
    for (const name of refusals.names()) {
      if (map.has(name)) continue;
      // What it refused came in the place of one that it may have from an earlier stream, which it told nothing of.
      if (this.#isWhole && !progress.held.has(name)) removed.push(name);
      else refusals.delete(name);
    }
    if (removed.length === 0) return undefined;
    if (this.#isWhole) return { ...wholePlan(this.#exact(map)), removed };
    if (protocol === "delta") return { resources: [], removed };
    for (const name of removed) progress.held.delete(name); // state of the world has no word for it
    return undefined;
  }

  /** What the client is to hold in the end: in place of a refused resource, the last good one. */
  #exact(map: ResourceMap): Resource[] {
    const { interest, progress, refusals } = this.#options;
    return [...interest.in(map)].flatMap((resource) =>
      refusals.has(resource) ? (progress.held.get(resource.name)?.resource ?? []) : resource,
    );
  }

  #stateVersion(map: ResourceMap): string | undefined {
    return this.#options.protocol === "sotw" ? stateVersionOf(this.#options.interest.in(map)) : undefined;
  }
}

const wholePlan = (resources: Resource[]): Plan => ({ resources, removed: [], version: stateVersionOf(resources) });
