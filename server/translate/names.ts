// Istio's names: people and tools know them. https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/

export const outboundCluster = (port: number, subset: string, host: string): string =>
  `outbound|${port}|${subset}|${host}`;

/** The server name that clients inside the mesh ask for. */
export const sniOf = (port: number, subset: string, host: string): string => `outbound_.${port}_.${subset}_.${host}`;

export const inboundCluster = (port: number): string => `inbound|${port}||`;

export const blackHoleCluster = "BlackHoleCluster";
export const passthroughCluster = "PassthroughCluster";
/** To ports of an intercepted workload that no service has. */
export const inboundPassthroughCluster = "InboundPassthroughCluster";

/** The route configuration of the sidecar's HTTP proxy port. */
export const httpProxyRoute = "http_proxy";

export const gatewayRoute = (port: number, bind: string | undefined): string =>
  bind ? `http.${port}.${bind}` : `http.${port}`;

export const listenerName = (address: string, port: number): string => `${address}_${port}`;

/** What a span is called: where to, and which path. */
export const operation = (host: string, port: number, path: string): string => `${host}:${port}${path}`;

/** Under which the payload of a verified token is noted, for whoever decides by it. */
export const jwtFilterName = "envoy.filters.http.jwt_authn";
export const jwtPayload = "payload";

/** The routes of a server that ends TLS: each has its own, as Istio has it. */
export const httpsRoute = (port: number, portName: string, gateway: { name: string; namespace: string }): string =>
  `https.${port}.${portName}.${gateway.name}.${gateway.namespace}`;

/** Istio's names of what a Secret holds, as its proxies ask for it: the certificate with its key, or the authorities. */
export const credentialResource = (secret: string): string => `kubernetes://${secret}`;
export const authoritiesResource = (secret: string): string => `kubernetes://${secret}-cacert`;
