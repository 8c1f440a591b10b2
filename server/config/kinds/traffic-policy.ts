import { z } from "zod";
import { duration, nonNegativeInt32, port, uint32 } from "./fields.ts";
import { notYet, type Report, rule } from "./schema.ts";
import { tlsSettingsSchema } from "./tls-settings.ts";

// https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy

const noPassthrough =
  "PASSTHROUGH sends a call to the address that it was made to, which is the proxy's own where nothing is intercepted; leave it out";

const loadBalancerSchema = z.strictObject({
  simple: z
    .enum(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "ROUND_ROBIN"], {
      error: ({ input }) => (input === "PASSTHROUGH" ? noPassthrough : undefined),
    })
    .optional()
    .describe("LEAST_REQUEST when unset; LEAST_CONN is its old name."),
  consistentHash: notYet("use simple"),
  localityLbSetting: notYet("localities are ignored when balancing"),
  zoneAwareLbSetting: notYet("localities are ignored when balancing"),
  backendUtilization: notYet("use simple"),
  warmup: notYet(""),
  warmupDurationSecs: notYet(""),
});
export type LoadBalancerSettings = z.output<typeof loadBalancerSchema>;

const tcpSettingsSchema = z.strictObject({
  maxConnections: nonNegativeInt32().optional().describe("Connections to the destination; 0 or unset: 2^32-1."),
  connectTimeout: duration().optional().describe("10s when unset."),
  idleTimeout: duration({ zero: true }).optional().describe("Of a TCP connection; 1h when unset, 0s: never."),
  maxConnectionDuration: duration().optional(),
  tcpKeepalive: z
    .strictObject({ probes: uint32().optional(), time: duration().optional(), interval: duration().optional() })
    .optional(),
});

const httpSettingsSchema = z.strictObject({
  http1MaxPendingRequests: nonNegativeInt32()
    .optional()
    .describe("Requests waiting for a connection; 0 or unset: 2^32-1."),
  http2MaxRequests: nonNegativeInt32().optional().describe("Requests in flight; 0 or unset: 2^32-1."),
  maxRequestsPerConnection: nonNegativeInt32().optional().describe("0 or unset: no bound; 1: no keep-alive."),
  maxRetries: nonNegativeInt32().optional().describe("Retries in flight; 0 or unset: 2^32-1."),
  idleTimeout: duration().optional().describe("Of a pooled connection; 1h when unset."),
  h2UpgradePolicy: z
    .enum(["DEFAULT", "DO_NOT_UPGRADE"], {
      error: "must be DEFAULT or DO_NOT_UPGRADE; UPGRADE is not supported yet by Limpid",
    })
    .optional(),
  useClientProtocol: notYet(""),
  maxConcurrentStreams: notYet(""),
  http2KeepAlive: notYet(""),
});

const connectionPoolSchema = rule(
  z.strictObject({ tcp: tcpSettingsSchema.optional(), http: httpSettingsSchema.optional() }),
  (pool, report) => {
    if (pool.tcp === undefined && pool.http === undefined) report([], "needs tcp, http, or both");
  },
);
export type ConnectionPoolSettings = z.output<typeof connectionPoolSchema>;

const percent = () => z.int().min(0).max(100);

const outlierDetectionSchema = rule(
  z.strictObject({
    consecutive5xxErrors: uint32().optional().describe("Ejects after so many 5xx in a row; 5 when unset, 0: off."),
    consecutiveGatewayErrors: uint32().optional().describe("As above, for 502, 503 and 504 only; off when unset."),
    consecutiveErrors: nonNegativeInt32()
      .optional()
      .describe("Has no effect, as in Istio: use consecutiveGatewayErrors."),
    splitExternalLocalOriginErrors: z.boolean().optional(),
    consecutiveLocalOriginFailures: uint32().optional(),
    interval: duration().optional().describe("Between two sweeps; 10s when unset."),
    baseEjectionTime: duration().optional().describe("Times the number of ejections; 30s when unset."),
    maxEjectionPercent: percent().optional().describe("10 when unset."),
    minHealthPercent: percent().optional().describe("Below it nothing is ejected and all are used; 0 when unset."),
    outlierDetectionHttpErrorCodes: notYet(""),
  }),
  (outlier, report) => {
    if ((outlier.consecutiveLocalOriginFailures ?? 0) > 0 && outlier.splitExternalLocalOriginErrors !== true) {
      report(["consecutiveLocalOriginFailures"], "needs splitExternalLocalOriginErrors: true");
    }
  },
);
export type OutlierDetection = z.output<typeof outlierDetectionSchema>;

const policyFields = () => ({
  loadBalancer: loadBalancerSchema.optional(),
  connectionPool: connectionPoolSchema.optional(),
  outlierDetection: outlierDetectionSchema.optional(),
  tls: tlsSettingsSchema.optional(),
});

function needsOne(policy: object, report: Report): void {
  if (Object.keys(policy).every((key) => key === "port")) {
    report([], "needs at least one of loadBalancer, connectionPool, outlierDetection, tls");
  }
}

const portPolicySchema = rule(
  z.strictObject({ port: z.strictObject({ number: port() }), ...policyFields() }),
  needsOne,
);

export const trafficPolicySchema = rule(
  z.strictObject({
    ...policyFields(),
    portLevelSettings: rule(z.array(portPolicySchema).max(4_096), (settings, report) => {
      const seen = new Set<number>();
      settings.forEach((setting, index) => {
        if (seen.has(setting.port.number)) report([index, "port", "number"], "is there twice");
        seen.add(setting.port.number);
      });
    })
      .optional()
      .describe("Replaces the policy for one port, whole."),
    tunnel: notYet(""),
    proxyProtocol: notYet(""),
    retryBudget: notYet("use connectionPool.http.maxRetries"),
  }),
  needsOne,
);
export type TrafficPolicy = z.output<typeof trafficPolicySchema>;
