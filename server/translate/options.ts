import type { AccessLogFile, PathNormalization } from "../model/mesh-settings.ts";
import type { ProxyTelemetry } from "./telemetry.ts";

/** What translation needs to know of the installation; the same for every proxy. */
export interface TranslateOptions {
  /** The static cluster of the bootstrap to which access logs and spans go. */
  collectorCluster: string;
  /** 0..100. */
  tracingSamplingPercent: number;
  /** Stands in every workload's telemetry identity. */
  clusterId: string;
  /** Faults that end by themselves are over so long after the control plane, which would end them, was last heard of. */
  faultTtlMs: number;
  /** The proxies' file of certificate authorities, for TLS that they begin. */
  systemCaPath: string;
  /** What is done to paths before anything looks at them, where the mesh says so; unset: RFC 3986's normalization. */
  pathNormalization?: PathNormalization;
  /** Where the mesh says so; unset: proxies write no log of their own. */
  accessLogFile?: AccessLogFile;
  /** What Telemetry wants of the proxy; unset: nothing. */
  telemetry?: ProxyTelemetry;
}

export const defaultTranslateOptions: TranslateOptions = {
  collectorCluster: "limpid-collector",
  tracingSamplingPercent: 10,
  clusterId: "limpid",
  faultTtlMs: 30_000,
  systemCaPath: "/etc/ssl/certs/ca-certificates.crt",
};
