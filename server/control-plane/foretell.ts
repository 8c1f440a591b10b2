import type { XdsTypeName } from "../contract/index.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { ProxyResources } from "../translate/resources.ts";
import { allKinds } from "../xds/resource-kinds.ts";
import { createSnapshot } from "../xds/snapshot.ts";
import { changedResources } from "./changed-resources.ts";
import { originIn } from "./origins.ts";
import type { RefusalMemory } from "./refusal-memory.ts";

/** What proxies of a kind say of resources that they aren't sent; nothing where nobody can be asked. */
export type Rehearse = (
  kind: ProxyKind,
  resources: ProxyResources,
) => Promise<readonly { type: XdsTypeName; name: string; detail: string }[]>;

export interface ProxyKind {
  /** It is Limpid's own. */
  bundled: boolean;
  /** As it names itself: `envoy 1.40.0`. */
  implementation: string;
}

/** A refusal that a change would meet. */
export interface Foretold {
  type: XdsTypeName;
  name: string;
  detail: string;
  /** Names of the proxies. */
  proxies: string[];
  /** The config path that the refused part says it was made from. */
  origin: string | undefined;
}

export interface ForetellOptions {
  /** Undefined: nobody can be asked; what was refused before is still known. */
  rehearse?: Rehearse | undefined;
  memory: RefusalMemory;
  /** As a connected proxy names itself. */
  implementationOf(proxy: MeshProxy): string;
}

/**
 * Gathers who would refuse what of one change: their own kind judges where it can be asked, and for all of them what their kind has refused
 * before. A resource that many proxies of a kind share is judged once.
 */
export class Foreteller {
  readonly #options: ForetellOptions;
  /** By kind. */
  readonly #verdicts = new Map<string, Map<object, string | undefined>>();
  readonly #found = new Map<string, Foretold>();

  constructor(options: ForetellOptions) {
    this.#options = options;
  }

  get refusals(): Foretold[] {
    return [...this.#found.values()].map((one) => ({ ...one, proxies: one.proxies.toSorted() }));
  }

  /** @param names of the proxies that hold the same as this one */
  async look(
    proxy: MeshProxy,
    names: readonly string[],
    { before, after }: { before: ProxyResources; after: ProxyResources },
  ): Promise<void> {
    const changed = changedResources(before, after);
    const implementation = this.#options.implementationOf(proxy);
    const verdicts = await this.#rehearse({ bundled: proxy.bundled, implementation }, changed, after);
    const snapshot = createSnapshot(0, changed);
    for (const { typeUrl, shortName } of allKinds) {
      for (const { name, version } of snapshot.resources.get(typeUrl)?.values() ?? []) {
        const message = messageOf(changed, shortName, name);
        const judged = message && verdicts.get(message);
        const detail = judged ?? this.#options.memory.find(implementation, typeUrl, name, version);
        if (detail !== undefined) this.#add(shortName, name, detail, names, message);
      }
    }
  }

  async #rehearse(kind: ProxyKind, changed: ProxyResources, after: ProxyResources) {
    const verdicts = this.#verdicts.get(kind.implementation) ?? new Map<object, string | undefined>();
    this.#verdicts.set(kind.implementation, verdicts);
    const fresh = unjudged(changed, verdicts);
    const { rehearse } = this.#options;
    if (rehearse === undefined || Object.values(fresh).every(({ size }) => size === 0)) return verdicts;
    // Filters that come by themselves are judged in the listeners that have them.
    const listeners = fresh.extensionConfigs.size > 0 ? after.listeners : fresh.listeners;
    const refused = await rehearse(kind, { ...fresh, listeners });
    for (const map of Object.values(fresh)) for (const message of map.values()) verdicts.set(message, undefined);
    for (const { type, name, detail } of refused) {
      const message = messageOf(fresh, type, name);
      if (message !== undefined) verdicts.set(message, detail);
    }
    return verdicts;
  }

  #add(type: XdsTypeName, name: string, detail: string, proxies: readonly string[], message: object | undefined): void {
    const key = JSON.stringify([type, name, detail]);
    const known = this.#found.get(key);
    if (known) known.proxies.push(...proxies);
    else
      this.#found.set(key, { type, name, detail, proxies: [...proxies], origin: message && originIn(message, detail) });
  }
}

function unjudged(changed: ProxyResources, verdicts: ReadonlyMap<object, unknown>): ProxyResources {
  const rest = <T extends object>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...map].filter(([, message]) => !verdicts.has(message)));
  return {
    listeners: rest(changed.listeners),
    routes: rest(changed.routes),
    virtualHosts: rest(changed.virtualHosts),
    clusters: rest(changed.clusters),
    endpoints: rest(changed.endpoints),
    extensionConfigs: rest(changed.extensionConfigs),
    runtimes: rest(changed.runtimes),
  };
}

/** Under which of a proxy's maps each type stands. */
const maps: Partial<Record<XdsTypeName, keyof ProxyResources>> = {
  LDS: "listeners",
  RDS: "routes",
  VHDS: "virtualHosts",
  CDS: "clusters",
  EDS: "endpoints",
  ECDS: "extensionConfigs",
  RTDS: "runtimes",
};

function messageOf(resources: ProxyResources, type: XdsTypeName, name: string): object | undefined {
  const map = maps[type];
  return map && resources[map].get(name);
}
