/** Every page of the dashboard, and what stands on it once it has its data. */
export const pages = [
  { name: "overview", path: "/overview", ready: '[data-testid="golden"]' },
  {
    name: "topology",
    path: "/topology?window=60",
    ready: '[data-node="default/ratings/v1"]:not([data-health="idle"])',
  },
  { name: "topology-list", path: "/topology?view=list", ready: '[data-testid="graph-table"] [data-node]' },
  {
    name: "topology-selected",
    path: "/topology?select=default%2Freviews",
    ready: '[data-node="default/ratings/v1"]:not([data-health="idle"])',
  },
  { name: "services", path: "/services", ready: 'a[href="/services/default/reviews.default.svc.cluster.local"]' },
  { name: "service-traffic", path: "/services/default/reviews", ready: '[data-testid="split-bar"]' },
  { name: "service-metrics", path: "/services/default/reviews?tab=metrics", ready: "canvas" },
  { name: "service-endpoints", path: "/services/default/reviews?tab=endpoints", ready: '[role="tabpanel"] td' },
  { name: "service-config", path: "/services/default/reviews?tab=config", ready: '[data-testid="yaml-view"]' },
  { name: "traces", path: "/traces?sort=-duration", ready: '[data-testid="trace-scatter"]' },
  { name: "fault-form", path: "/faults?new=default%2Fratings", ready: '[data-testid="fault-start"]:enabled' },
  { name: "faults", path: "/faults", ready: "h1" },
  { name: "logs", path: "/logs?window=3600&more=1", ready: '[data-testid="log-row"]' },
  { name: "logs-applications", path: "/logs?show=applications", ready: '[data-testid="applications-text"]' },
  { name: "traces-latency", path: "/traces?view=heat", ready: '[data-testid="heatmap"]' },
  {
    name: "explain",
    path: "/explain?from=default%2Fproductpage-v1&url=http%3A%2F%2Freviews%3A9080%2Freviews%2F0",
    ready: '[data-testid="explain-routes"]',
  },
  { name: "proxies", path: "/proxies", ready: '[data-testid="proxy-row-reviews-v1"]' },
  { name: "config", path: "/config", ready: '[data-object="VirtualService/default/reviews"]' },
  {
    name: "config-object",
    path: "/config/VirtualService/default/reviews?line=9",
    ready: '[data-testid="yaml-editor"]',
  },
  { name: "config-new", path: "/config/new", ready: '[data-testid="object-diff"]' },
] as const;
