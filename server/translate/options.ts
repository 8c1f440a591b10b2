import type { PathNormalization } from "../model/mesh-settings.ts";

/** What translation needs to know of the installation; the same for every proxy. */
export interface TranslateOptions {
  /** The static cluster of the bootstrap to which access logs and spans go. */
  collectorCluster: string;
  /** 0..100. */
  tracingSamplingPercent: number;
  /** Stands in every workload's telemetry identity. */
  clusterId: string;
  /** The proxies' file of certificate authorities, for TLS that they begin. */
  systemCaPath: string;
  /** What is done to paths before anything looks at them, where the mesh says so; unset: RFC 3986's normalization. */
  pathNormalization?: PathNormalization;
  /** What proxies write themselves of every request and connection, besides what goes to the collector; undefined: nothing. */
  accessLogFile: AccessLogFile | undefined;
}

/** Istio's `accessLogFile`, `accessLogFormat` and `accessLogEncoding`. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ */
export interface AccessLogFile {
  /** Such as `/dev/stdout`. */
  path: string;
  encoding: "TEXT" | "JSON";
  /** With command operators; of JSON, an object in JSON. "": Istio's own. */
  format: string;
}

export const defaultTranslateOptions: TranslateOptions = {
  collectorCluster: "limpid-collector",
  tracingSamplingPercent: 10,
  clusterId: "limpid",
  systemCaPath: "/etc/ssl/certs/ca-certificates.crt",
  accessLogFile: undefined,
};
