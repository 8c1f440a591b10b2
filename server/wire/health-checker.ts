/** The user agent of active health checks, Envoy's and the bundled sidecar's: what a proxy asks to know how an endpoint is, and nobody's call. */
export const healthCheckerAgent = "Envoy/HC";
