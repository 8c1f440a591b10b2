import { isIP } from "node:net";
import { z } from "zod";
import { told } from "../../contract/told.ts";
import { duration, nonNegativeInt32, port, uint32 } from "./fields.ts";
import { loadBalancerSchema, retryBudgetSchema } from "./load-balancer.ts";
import { wildcardHostError } from "./names.ts";
import { orNull, type Report, rule, text } from "./schema.ts";
import { tlsSettingsSchema } from "./tls-settings.ts";

// https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy

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
    .enum(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])
    .optional()
    .describe("UPGRADE: HTTP/2 to the destination, which must know it without being asked."),
  useClientProtocol: z.boolean().optional().describe("HTTP/1.1 or HTTP/2 as the client speaks; goes before UPGRADE."),
  maxConcurrentStreams: nonNegativeInt32().optional().describe("Of one HTTP/2 connection; 0 or unset: 2^31-1."),
  http2KeepAlive: z
    .strictObject({
      interval: duration().optional().describe("Between two pings; unset: none."),
      timeout: duration().optional().describe("For the answer to one."),
    })
    .optional(),
});

const connectionPoolSchema = rule(
  z.strictObject({ tcp: tcpSettingsSchema.optional(), http: httpSettingsSchema.optional() }),
  (pool, report) => {
    if (pool.tcp === undefined && pool.http === undefined) report([], told("needs-any-of", { fields: "tcp, http" }));
  },
);
export type ConnectionPoolSettings = z.output<typeof connectionPoolSchema>;

const percent = () => z.int().min(0).max(100);

const outlierDetectionSchema = rule(
  z.strictObject({
    consecutive5xxErrors: orNull(uint32()).describe("Ejects after so many 5xx in a row; 5 when unset, 0: off."),
    consecutiveGatewayErrors: orNull(uint32()).describe("As above, for 502, 503 and 504 only; off when unset."),
    consecutiveErrors: nonNegativeInt32()
      .optional()
      .describe("Has no effect, as in Istio: use consecutiveGatewayErrors."),
    splitExternalLocalOriginErrors: z.boolean().optional(),
    consecutiveLocalOriginFailures: orNull(uint32()),
    interval: duration().optional().describe("Between two sweeps; 10s when unset."),
    baseEjectionTime: duration().optional().describe("Times the number of ejections; 30s when unset."),
    maxEjectionPercent: percent().optional().describe("10 when unset."),
    minHealthPercent: percent().optional().describe("Below it nothing is ejected and all are used; 0 when unset."),
    outlierDetectionHttpErrorCodes: z
      .array(z.int().min(100).max(599))
      .optional()
      .describe("Statuses that count as errors, in place of 500 and above."),
  }),
  (outlier, report) => {
    if ((outlier.consecutiveLocalOriginFailures ?? 0) > 0 && outlier.splitExternalLocalOriginErrors !== true) {
      report(
        ["consecutiveLocalOriginFailures"],
        told("needs-setting", { what: "splitExternalLocalOriginErrors: true" }),
      );
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

/** Holds that something is said beside the port; `fields` is what there is to say. */
const needsOneOf = (fields: object) => (policy: object, report: Report) => {
  if (Object.keys(policy).every((key) => key === "port"))
    report([], told("needs-any-of", { fields: Object.keys(fields).join(", ") }));
};

const portFields = policyFields();
const portPolicySchema = rule(
  z.strictObject({ port: z.strictObject({ number: port() }), ...portFields }),
  needsOneOf(portFields),
);

const hostFields = {
  ...policyFields(),
  portLevelSettings: rule(z.array(portPolicySchema).max(4_096), (settings, report) => {
    const seen = new Set<number>();
    settings.forEach((setting, index) => {
      if (seen.has(setting.port.number)) report([index, "port", "number"], told("twice", {}));
      seen.add(setting.port.number);
    });
  })
    .optional()
    .describe("Replaces the policy for one port, whole."),
  tunnel: z
    .strictObject({
      protocol: z.enum(["CONNECT", "POST"]).optional().describe("CONNECT when unset."),
      targetHost: text((host) => (isIP(host) ? undefined : wildcardHostError(host))),
      targetPort: port(),
    })
    .optional()
    .describe("TCP and TLS go through a tunnel that the destination opens to this host and port."),
  proxyProtocol: z
    .strictObject({ version: z.enum(["V1", "V2"]).optional().describe("V1 when unset.") })
    .optional()
    .describe("Tells the destination the client's address, before anything else."),
  retryBudget: retryBudgetSchema.optional().describe("Replaces connectionPool.http.maxRetries."),
};

export const trafficPolicySchema = rule(z.strictObject(hostFields), needsOneOf(hostFields));
export type TrafficPolicy = z.output<typeof trafficPolicySchema>;
