import { compilePerFilter } from "../../sidecar/filters/registry.ts";
import { matchRoute } from "../../sidecar/route/match-route.ts";
import { compileTable } from "../../sidecar/route/route-set.ts";
import type { ProxyResources } from "../resources.ts";

export interface Call {
  authority: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  /** Of a gateway, the server's; unset: through a sidecar's HTTP proxy port. */
  port?: number;
}

/**
 * Where a call would go by the routes of a proxy on the state-of-the-world protocol, asked of our own sidecar's router: each
 * cluster with its share of 100; `status <n>` for an answer by the proxy itself, `redirect`, or `404`.
 */
export function whichCluster(resources: ProxyResources, call: Call): Record<string, number> {
  const name = call.port === undefined ? "http_proxy" : `http.${call.port}`;
  const config = resources.routes.get(name);
  if (!config) throw new Error(`no route configuration ${name}`);
  const { authority, path = "/", method = "GET" } = call;
  const found = matchRoute(compileTable(config, compilePerFilter), {
    authority,
    path,
    method,
    headers: Object.entries(call.headers ?? {}).flat(),
  });
  if (!found) return { "404": 100 };
  const { action } = found.route;
  if (action.kind === "redirect") return { redirect: 100 };
  if (action.kind === "direct") return { [`status ${action.status}`]: 100 };
  return Object.fromEntries(found.weights.map(({ cluster, share }) => [cluster, Math.round(share * 100)]));
}
