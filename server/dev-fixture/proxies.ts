import type { ProxyList, TypeSync } from "../contract/index.ts";
import type { State } from "./dashboard.ts";

export const proxyNames = [
  "istio-ingress",
  "productpage-v1",
  "details-v1",
  "reviews-v1",
  "reviews-v2",
  "reviews-v3",
  "ratings-v1",
];

export function proxiesOf(state: State, now: number): ProxyList {
  const sync = (resources: number, over: Partial<TypeSync> = {}): TypeSync => ({
    state: "SYNCED",
    resources,
    sinceMs: state.push.committedAt,
    errors: [],
    ...over,
  });
  return {
    at: now,
    revision: state.revision,
    proxies: proxyNames.map((name, index) => ({
      id: `sidecar~127.0.1.${index + 1}~${name}.default~default.svc.cluster.local`,
      name,
      namespace: "default",
      address: `127.0.1.${index + 1}`,
      kind: index === 0 ? ("gateway" as const) : ("sidecar" as const),
      implementation: index === 5 ? "envoy 1.40.0" : "limpid-sidecar 0.1.0",
      protocol: "delta" as const,
      connectedAt: state.startedAt,
      types: {
        LDS: sync(2),
        RDS: sync(1),
        VHDS:
          index === 4
            ? sync(5, {
                state: "ERROR",
                errors: [
                  {
                    resource: "http_proxy/reviews:9080",
                    detail: "virtual_hosts[3].routes[0].match.safe_regex: lookahead is not supported",
                    origin: "VirtualService default/reviews, http[2].match[0].uri.regex",
                  },
                ],
              })
            : sync(5),
        CDS: sync(9),
        EDS: index === 2 ? sync(7, { state: "STALE", sinceMs: now - 4000 }) : sync(7),
      },
    })),
  };
}
