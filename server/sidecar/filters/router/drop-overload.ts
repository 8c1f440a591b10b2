import type { Cluster } from "../../cluster/cluster.ts";
import { ResponseFlag } from "../../record.ts";
import type { Exchange } from "../../request/exchange.ts";

/** Load that whoever sent the endpoints wants shed. An operator may lower the share. @returns whether the request is answered by that */
export function dropsOverload(exchange: Exchange, cluster: Cluster, envoyHeaders: boolean): boolean {
  const { runtime, random } = exchange.manager;
  const limit = runtime.get("load_balancing_policy.drop_overload_limit")?.share ?? 1;
  const share = Math.min(cluster.dropped, limit);
  if (share < 1 && random() >= share) return false;
  const all = share >= 1;
  cluster.stats.response(503);
  const flag = all ? ResponseFlag.unconditionalDropOverload : ResponseFlag.dropOverload;
  const name = all ? "unconditional_drop_overload" : "drop_overload";
  const told = envoyHeaders ? [`x-envoy-${name.replaceAll("_", "-")}`, "true"] : [];
  exchange.reply(503, name.replaceAll("_", " "), name, flag, told);
  return true;
}
