/** Which listener wrote an access log: `limpid.<direction>` is the `log_name` of its access logger. */
export const directions = ["outbound", "inbound", "gateway"] as const;
export type Direction = (typeof directions)[number];

export const logNameOf = (direction: Direction): string => `limpid.${direction}`;

/** Undefined for the name of any other logger. */
export const directionOfLogName = (logName: string): Direction | undefined =>
  directions.find((direction) => logName === logNameOf(direction));

/** Custom tags of an access log entry. */
export const logTags = {
  /** The config object whose route was taken, as an API path. */
  config: "limpid.config",
  /** Where in that object's `spec` the route stands: `http[2].match[0]`. */
  rule: "limpid.rule",
  /** The workload of the endpoint that was chosen, in the form of {@link file://./peer.ts}. */
  destination: "limpid.destination",
  /** The cluster that the route names: Envoy's own field is empty when no host was chosen. */
  cluster: "limpid.cluster",
  /**
   * A decimal N ≥ 1: the entry stands for N requests of the same key and latency bin, its byte fields are their totals. A proxy sends such
   * entries in place of records that it could not keep while the collector was away.
   */
  count: "limpid.count",
  /** The URI of the certificate that the endpoint showed; the bundled sidecar tells it of each call over TLS. Envoy has no field for it. */
  reached: "limpid.reached",
  /** What Telemetry changes of Istio's metrics of these calls, in the form of {@link file://./metric-rules.ts}. */
  metrics: "limpid.metrics",
  /** `<sent>,<received>`: the messages of a gRPC call, as its caller sees them; told by the proxy of who is called, at the call's end. */
  messages: "limpid.messages",
} as const;
