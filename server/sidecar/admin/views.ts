import type { CertificateInfo } from "../tls/certificate-info.ts";

/** What the admin pages show of the data path; the data path's own objects never leave it. */
export interface ClusterView {
  name: string;
  edsServiceName: string;
  addedViaApi: boolean;
  limits: { maxConnections: number; maxPendingRequests: number; maxRequests: number; maxRetries: number };
  /** Of outlier detection, in percent; -1: not known. Undefined: nobody judges. */
  rates: { external: RatesView; local: RatesView } | undefined;
  hosts: readonly HostView[];
}

export interface RatesView {
  average: number;
  threshold: number;
}

export interface HostView {
  address: string;
  port: number;
  hostname: string;
  weight: number;
  priority: number;
  region: string;
  zone: string;
  subZone: string;
  canary: boolean;
  /** Bits of `HealthFlag`. */
  healthFlags: number;
  /** In percent; -1: not known. */
  successRate: number;
  localOriginSuccessRate: number;
  connections: number;
  connectFailures: number;
  connectionsTotal: number;
  requestsActive: number;
  requestsPending: number;
  requestsTotal: number;
  requestsSuccess: number;
  requestsError: number;
}

export interface ListenerView {
  name: string;
  address: string;
  port: number;
}

/** What one TLS context shows and trusts. */
export interface CertsView {
  chain: { path: string; certificates: readonly CertificateInfo[] } | undefined;
  authorities: { path: string; certificates: readonly CertificateInfo[] } | undefined;
}
