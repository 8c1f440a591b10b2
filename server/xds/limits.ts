/** What clients may cost. */
export interface XdsLimits {
  /**
   * Streams at a time on each of the two ports, so that those who show nobody who they are do not take the places of those who do;
   * one more is refused with RESOURCE_EXHAUSTED.
   */
  sessions: number;
  /** Resource names in one request. */
  namesPerRequest: number;
  /** Resource names that a stream is subscribed to, over all types. */
  namesPerStream: number;
  /** Of those names, and of what a client says it holds. */
  nameBytesPerStream: number;
  nodeIdBytes: number;
  /** The node's message without its list of extensions, which is not kept. */
  nodeBytes: number;
  requestBytes: number;
  /** Until the first request, which names the node. */
  firstRequestMs: number;
  /** One incremental response; a larger update goes out in several. Below the 4 MiB that gRPC clients take by default. */
  responseBytes: number;
  orderWaitMs: number;
  /** How often clients report their load. */
  loadReportMs: number;
}

export const defaultLimits: XdsLimits = {
  sessions: 5_000,
  namesPerRequest: 50_000,
  namesPerStream: 100_000,
  nameBytesPerStream: 16 << 20,
  nodeIdBytes: 1_024,
  nodeBytes: 256 << 10,
  requestBytes: 16 << 20,
  firstRequestMs: 15_000,
  responseBytes: 3_500_000,
  orderWaitMs: 3_000,
  loadReportMs: 5_000,
};
