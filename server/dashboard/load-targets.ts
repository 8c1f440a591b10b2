import type { LoadTarget, LoadTargets, ProxyList } from "../contract/index.ts";
import { entrancesOf } from "../explain/entrances.ts";
import { holdingsOf } from "../explain/holdings.ts";
import type { HeldResources } from "../xds/csds-client.ts";

export interface LoadTargetSources {
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  /** Undefined: it is not connected. */
  held(id: string): Promise<HeldResources | undefined>;
}

/** So many proxies are asked for what they hold; gateways before workloads. */
const maxAsked = 200;
const atOnce = 8;

/** By what the connected proxies have in force now. */
export const createLoadTargets =
  ({ proxies, held }: LoadTargetSources) =>
  async (): Promise<LoadTargets> => {
    const connected = (await proxies()).proxies.filter((proxy) => proxy.connected);
    const sorted = connected.toSorted((a, b) => rank(a.kind) - rank(b.kind) || (a.name < b.name ? -1 : 1));
    const targets: LoadTarget[] = [];
    const asked = sorted.slice(0, maxAsked);
    for (let from = 0; from < asked.length; from += atOnce) {
      const found = await Promise.all(
        asked.slice(from, from + atOnce).map(async (proxy) => {
          const its = await held(proxy.id);
          return its ? entrancesOf(proxy, holdingsOf(its.resources)) : [];
        }),
      );
      targets.push(...found.flat());
    }
    return { targets };
  };

const rank = (kind: "gateway" | "sidecar"): number => (kind === "gateway" ? 0 : 1);
