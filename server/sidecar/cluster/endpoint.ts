import type { Metadata } from "../record.ts";
import { HostHealth } from "./health-flags.ts";

/** What EDS (or DNS) says of one endpoint. */
export interface EndpointConfig {
  /** What it is known by, when that is more than its address. */
  readonly key?: string;
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  readonly weight: number;
  /** The flag of its `health_status`; 0: healthy, or unknown. */
  readonly healthFlag: number;
  readonly priority: number;
  /** The same object for all endpoints of one. */
  readonly locality: EndpointLocality;
  readonly metadata: Metadata | undefined;
  /** Undefined: checked where it serves, if its cluster checks. */
  readonly check: EndpointCheck | undefined;
}

export interface EndpointLocality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  /** Share among the localities of its priority; 0: none, under locality weighting. */
  readonly weight: number;
}

/** Where and how active health checks find an endpoint: `health_check_config`. Empty and 0: as its requests do. */
export interface EndpointCheck {
  readonly address: string;
  readonly port: number;
  readonly hostname: string;
  readonly disabled: boolean;
}

/** One upstream host. Lives as long as its address is in the cluster, through all updates. */
export class Endpoint {
  /** Requests in flight: what least request compares. */
  active = 0;
  /** Whether the endpoint has left the cluster: its connections close when they fall idle. */
  removed = false;
  readonly health = new HostHealth();
  /** Monotonic ms since when it gets requests: slow start counts from here. */
  healthySince = 0;
  readonly outlier = new OutlierState();
  /** Since the start, for the admin's page of clusters. */
  readonly totals = { connections: 0, connectFailures: 0, requests: 0, successes: 0, errors: 0 };
  private current: EndpointConfig;

  constructor(config: EndpointConfig) {
    this.current = config;
    this.health.setDiscovered(config.healthFlag);
  }

  get config(): EndpointConfig {
    return this.current;
  }

  update(config: EndpointConfig): void {
    this.current = config;
    this.health.setDiscovered(config.healthFlag);
  }

  /** Whether it is a canary: `envoy.lb`'s word for it. */
  get canary(): boolean {
    return this.current.metadata?.["envoy.lb"]?.canary === true;
  }
}

/** Requests of the running interval, and how the last one went. */
export interface SuccessRate {
  total: number;
  success: number;
  /** In percent; -1: too few requests to say. */
  rate: number;
}

/** What outlier detection knows of one host. */
export class OutlierState {
  consecutive5xx = 0;
  consecutiveGateway = 0;
  consecutiveLocal = 0;
  /** What multiplies the ejection time: grows with ejections, and falls again in quiet times. */
  backOff = 0;
  /** Monotonic ms. */
  ejectedAt = 0;
  /** Monotonic ms; undefined: never ejected. */
  unejectedAt: number | undefined = undefined;
  /** Added to the time that it stays ejected. */
  jitterMs = 0;
  readonly external: SuccessRate = { total: 0, success: 0, rate: -1 };
  /** Connections, where they are judged by themselves. */
  readonly local: SuccessRate = { total: 0, success: 0, rate: -1 };
}

export const endpointKey = ({ key, address, port, priority }: EndpointConfig): string =>
  key === undefined ? `${address}|${port}|${priority}` : `${key}|${address}`;
