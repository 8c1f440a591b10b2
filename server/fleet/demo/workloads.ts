/** The demo application: the shape, names, ports and version labels of Istio's Bookinfo, in code of our own. */
export interface DemoWorkload {
  /** Name of the workload and of its sidecar: `reviews-v2`. */
  name: string;
  app: string;
  version: string;
  namespace: string;
  /** 0 is the gateway. Fixed, so that addresses stay the same from start to start. */
  index: number;
}

const inDefault = (app: string, version: string, index: number): DemoWorkload => ({
  name: `${app}-${version}`,
  app,
  version,
  namespace: "default",
  index,
});

export const demoWorkloads: readonly DemoWorkload[] = [
  inDefault("productpage", "v1", 1),
  inDefault("details", "v1", 2),
  inDefault("reviews", "v1", 3),
  inDefault("reviews", "v2", 4),
  inDefault("reviews", "v3", 5),
  inDefault("ratings", "v1", 6),
];

export const ingressGateway = {
  name: "istio-ingressgateway",
  namespace: "istio-system",
  labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
  index: 0,
} as const;
