export const interceptions = ["NONE", "REDIRECT", "TPROXY"] as const;

export type Interception = (typeof interceptions)[number];

/** What translation may know of one proxy. (Not `Proxy`: that is a global.) Parsed from the xDS node, which is what Envoy's and Istio's agents send. */
export interface MeshProxy {
  /** The node id: `sidecar~<ip>~<name>.<ns>~<domain>` or `router~…`. */
  id: string;
  type: "sidecar" | "router";
  ip: string;
  /** The workload's name and namespace. */
  name: string;
  namespace: string;
  /** The DNS domain of its namespace: `default.svc.cluster.local`. */
  domain: string;
  labels: Readonly<Record<string, string>>;
  /** What else its node says of it in so many words: texts of the metadata, by which EnvoyFilters choose. */
  facts: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, or empty: from the node, the label `istio-locality`, or labels of Kubernetes' topology. */
  locality: string;
  serviceAccount: string;
  /** The SPIFFE id that its certificate shows, `spiffe://<trust domain>/ns/<ns>/sa/<sa>`; undefined: it came without one, and gets none. */
  identity: string | undefined;
  /** `app` or `service.istio.io/canonical-name` label, else the workload's name. */
  canonicalService: string;
  /** `version` or `service.istio.io/canonical-revision` label, else `latest`. */
  canonicalRevision: string;
  /**
   * NONE: the proxy binds real ports and the application is told to use it (`http_proxy`). REDIRECT: iptables send everything to 15001/15006. TPROXY:
   * likewise, but what comes in keeps its addresses, and the application sees its caller's.
   */
  interception: Interception;
  /** Where the outbound HTTP proxy listener binds with interception NONE; metadata `HTTP_PROXY_PORT`, default 15001. */
  httpProxyPort: number;
  /** With interception NONE: for each inbound port that the proxy binds, where the application listens; metadata `INGRESS`: `{"9080": "127.0.0.1:19080"}`. */
  ingress: Readonly<Record<number, { address: string; port: number }>>;
  /** Added to a Gateway server's port, and with interception NONE to a TCP service's, where they are bound; metadata `PORT_OFFSET`, default 0. */
  portOffset: number;
  /** The proxy may not bind ports below 1024; metadata `UNPRIVILEGED_POD`, as Istio's injector sets it. */
  unprivileged: boolean;
  /** A gRPC application that takes its routes itself, without a proxy; metadata `GENERATOR: grpc`, as in Istio. */
  proxyless: boolean;
  /** The proxy speaks the incremental protocol, so that VHDS can carry its virtual hosts. */
  delta: boolean;
  /** The static cluster of its bootstrap by which it reaches the control plane, when it opens a stream for each type; undefined: by ADS. Metadata `XDS_CLUSTER`. */
  xdsCluster: string | undefined;
  /** Where on its machine its own certificate and the mesh's authorities are, as `<name>.json`, when the key never leaves it; undefined: they come with everything else. Metadata `SECRETS_FOLDER`. */
  secretsFolder: string | undefined;
  /** It is our own sidecar, which takes less than Envoy: one filter that it doesn't know would cost it the whole listener. */
  bundled: boolean;
  /** It asks for the layer of faults, and drops what has a time and is not heard of: client features `dev.limpid.fault-leases` and `xds.config.supports-resource-ttl`. */
  faultLeases: boolean;
}
