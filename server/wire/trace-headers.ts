/**
 * What has to go from a request to those that are made for it, or its trace falls apart: W3C's, B3's, and the request id by which proxies sample alike.
 * https://istio.io/latest/docs/tasks/observability/distributed-tracing/overview/
 */
export const traceHeaders = [
  "x-request-id",
  "traceparent",
  "tracestate",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
] as const;
