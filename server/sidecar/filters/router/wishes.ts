import { anyHost, type PickContext } from "../../cluster/balancer.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { criteriaFor } from "../../match/criteria.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { ForwardTarget } from "../../route/compile-route.ts";

/** What a request has to say about its host, before the route changes it. */
export interface Wishes {
  readonly context: PickContext;
  /** What the client is to get with its response, so that it comes back to its endpoint. */
  readonly cookies: readonly string[];
}

export const anyWish: Wishes = { context: anyHost, cookies: [] };

export function wishesOf(exchange: Exchange, cluster: Cluster, action: ForwardTarget): Wishes {
  let { context, cookies } = anyWish;
  if (action.hasher !== undefined && cluster.usesHash) {
    const { manager, connection } = exchange;
    const hashed = action.hasher(exchange, { connection, atEdge: manager.options.useRemoteAddress });
    context = { ...context, hash: hashed.hash };
    cookies = hashed.cookies;
  }
  if (cluster.split) {
    const criteria = criteriaFor(exchange.target?.criteria, exchange.record.dynamicMetadata?.["envoy.lb"]);
    context = { ...context, criteria };
  }
  if (exchange.hostOverride !== undefined) context = { ...context, override: exchange.hostOverride };
  return context === anyHost ? anyWish : { context, cookies };
}
