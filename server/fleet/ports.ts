/** Every address of one machine's mesh. One offset moves them all, so that several meshes run side by side. */
export interface MeshPorts {
  xds: number;
  /** For proxies that show a certificate. */
  xdsTls: number;
  /** For those who have no certificate yet. */
  join: number;
  configApi: number;
  /** The same over TLS, for callers who say who they are. */
  configApiTls: number;
  collectorGrpc: number;
  collectorHttp: number;
  /** Spans of Zipkin's senders. */
  zipkin: number;
  /** Jaeger's query API. */
  jaeger: number;
  dashboard: number;
  /** The same over TLS, where a certificate is given. */
  dashboardTls: number;
  /** The ingress gateway of the demo, by its Gateway's port. */
  gateway: number;
  /** The same over HTTPS. */
  gatewayHttps: number;
  /** The supervisor's own: `limpid status`, traffic rate, restarts. */
  fleet: number;
  /** Added to a Gateway server's port: 8080 becomes 8080 + offset. */
  offset: number;
}

export interface WorkloadPorts {
  /** Where its sidecar listens for the mesh. */
  ip: string;
  inbound: number;
  /** Of `ratings`, with `--demo-grpc`. */
  grpcInbound: number;
  outbound: number;
  admin: number;
  health: number;
  prometheus: number;
  /** Where the application itself listens, on 127.0.0.1, reached only through its sidecar. */
  app: number;
  /** Where `ratings` itself serves gRPC. */
  grpcApp: number;
  /** Added to the port of a TCP service where its sidecar binds it for its application's calls. */
  serviceOffset: number;
}

export const maxPortOffset = 40_000;

export function meshPorts(offset: number): MeshPorts {
  return {
    xds: 15_010 + offset,
    xdsTls: 15_012 + offset,
    join: 15_013 + offset,
    configApi: 15_014 + offset,
    configApiTls: 15_016 + offset,
    collectorGrpc: 4317 + offset,
    collectorHttp: 4318 + offset,
    zipkin: 9411 + offset,
    jaeger: 16_686 + offset,
    dashboard: 3000 + offset,
    dashboardTls: 3443 + offset,
    gateway: 8080 + offset,
    gatewayHttps: 8443 + offset,
    fleet: 15_080 + offset,
    offset,
  };
}

/**
 * Workload `index` (0 is the gateway). Linux answers on all of 127.0.0.0/8, so each workload has an address of its own, as a pod
 * would, and the ports are Istio's. Elsewhere there is only 127.0.0.1, and each workload has a block of ports.
 */
export function workloadPorts(
  index: number,
  offset: number,
  platform: NodeJS.Platform = process.platform,
): WorkloadPorts {
  const app = 19_080 + index + offset;
  const grpcApp = 19_060 + index + offset;
  if (platform === "linux" || index === 0) {
    return {
      ip: index === 0 ? "127.0.0.1" : `127.0.1.${index}`,
      inbound: 9080 + offset,
      grpcInbound: 9090 + offset,
      outbound: 15_001 + offset,
      admin: 15_000 + offset,
      health: 15_021 + offset,
      prometheus: 15_090 + offset,
      app,
      grpcApp,
      serviceOffset: offset,
    };
  }
  const base = 20_000 + index * 100 + offset;
  return {
    ip: "127.0.0.1",
    inbound: base + 80,
    grpcInbound: base + 81,
    outbound: base + 1,
    admin: base,
    health: base + 21,
    prometheus: base + 90,
    app,
    grpcApp,
    // One address for all: a service's port is another one in each workload.
    serviceOffset: offset + index * 1000,
  };
}

/** Ports from 3000 up that no browser opens a page on. https://fetch.spec.whatwg.org/#port-blocking */
export const portsBlockedByBrowsers: readonly number[] = [
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/** What of that people open in a browser could not be opened with this offset; undefined: nothing. */
export function blockedByBrowsers(offset: number): { part: string; port: number } | undefined {
  const { dashboard, gateway, gatewayHttps } = meshPorts(offset);
  return [
    { part: "the dashboard", port: dashboard },
    { part: "the ingress gateway", port: gateway },
    { part: "the ingress gateway's HTTPS", port: gatewayHttps },
  ].find(({ port }) => portsBlockedByBrowsers.includes(port));
}

/** Reads a port offset from a flag or LIMPID_PORT_OFFSET; throws with what would be right. */
export function parsePortOffset(value: string | undefined): number {
  if (value === undefined || value === "") return 0;
  const offset = Number(value);
  if (!Number.isInteger(offset) || offset < 0 || offset > maxPortOffset) {
    throw new Error(`port offset ${JSON.stringify(value)}: must be a whole number from 0 to ${maxPortOffset}`);
  }
  const blocked = blockedByBrowsers(offset);
  if (blocked !== undefined) {
    let next = offset + 1;
    while (blockedByBrowsers(next)) next++;
    throw new Error(
      `port offset ${JSON.stringify(value)}: puts ${blocked.part} on port ${blocked.port}, which browsers refuse to open; take another, such as ${next}`,
    );
  }
  return offset;
}
