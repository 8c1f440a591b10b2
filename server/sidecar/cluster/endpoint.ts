import type { Metadata } from "../record.ts";

/** What EDS (or DNS) says of one endpoint. */
export interface EndpointConfig {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  readonly weight: number;
  readonly healthy: boolean;
  readonly priority: number;
  readonly metadata: Metadata | undefined;
}

/** One upstream host. Lives as long as its address is in the cluster, through all updates. */
export class Endpoint {
  config: EndpointConfig;
  /** Requests in flight: what least request compares. */
  active = 0;
  /** Whether the endpoint has left the cluster: its connections close when they fall idle. */
  removed = false;
  readonly outlier: OutlierState = {
    consecutive5xx: 0,
    consecutiveGateway: 0,
    consecutiveLocal: 0,
    ejections: 0,
    ejectedAt: undefined,
    total: 0,
    success: 0,
  };
  /** Since the start, for the admin's page of clusters. */
  readonly totals = { connections: 0, connectFailures: 0, requests: 0, successes: 0, errors: 0 };

  constructor(config: EndpointConfig) {
    this.config = config;
  }

  get available(): boolean {
    return this.config.healthy && this.outlier.ejectedAt === undefined;
  }
}

export interface OutlierState {
  consecutive5xx: number;
  consecutiveGateway: number;
  consecutiveLocal: number;
  /** How often ejected of late: the multiplier of the ejection time. */
  ejections: number;
  /** Monotonic ms. */
  ejectedAt: number | undefined;
  /** Requests and successes of the running interval. */
  total: number;
  success: number;
}

export const endpointKey = (config: EndpointConfig): string => `${config.address}|${config.port}|${config.priority}`;
