import type { ConfigObject } from "./object.ts";

/** Of the whole mesh: Istio's root namespace. */
const meshWide = (name: string) => ({ name, namespace: "istio-system" });

const rule = (name: string, spec: object) => ({
  apiVersion: "limpid.dev/v1alpha1",
  kind: "AlertRule",
  metadata: meshWide(name),
  spec,
});

/** Designs that come with Limpid: what many meshes have, each for the whole of it. */
export const readyDesigns: readonly ConfigObject[] = [
  ready("strict-mutual-tls", "Every workload takes calls by mutual TLS alone.", [
    {
      apiVersion: "security.istio.io/v1",
      kind: "PeerAuthentication",
      metadata: meshWide("default"),
      spec: { mtls: { mode: "STRICT" } },
    },
  ]),
  ready(
    "resilience-defaults",
    "Bounds on connections and waiting requests, and ejection of endpoints that fail, for every service without a DestinationRule of its own.",
    [
      {
        apiVersion: "networking.istio.io/v1",
        kind: "DestinationRule",
        metadata: meshWide("resilience-defaults"),
        spec: {
          host: "*.local",
          trafficPolicy: {
            connectionPool: {
              tcp: { maxConnections: 1024, connectTimeout: "5s" },
              http: { http1MaxPendingRequests: 1024, http2MaxRequests: 1024, maxRetries: 16 },
            },
            outlierDetection: {
              consecutive5xxErrors: 5,
              interval: "10s",
              baseEjectionTime: "30s",
              maxEjectionPercent: 50,
            },
          },
        },
      },
    ],
  ),
  ready("known-hosts-only", "Workloads reach hosts of the registry and no others.", [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: meshWide("default"),
      spec: { egress: [{ hosts: ["*/*"] }], outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } },
    },
  ]),
  ready(
    "usual-alerts",
    "Told of errors, slow answers, proxies that lag and certificates that end, in every namespace.",
    [
      rule("errors", { when: { errors: { above: 5 } }, window: "1m", for: "2m", severity: "Critical" }),
      rule("slow-answers", { when: { latency: { above: "1s", percentile: "P95" } }, window: "5m", for: "5m" }),
      rule("proxies-lagging", { when: { proxies: { states: ["Lagging"] } }, for: "1m" }),
      rule("certificates-soon", { when: { certificates: { endWithin: "4h" } }, severity: "Warning" }),
    ],
  ),
  ready("trace-everything", "A trace of every request: for looking into trouble, not for ever.", [
    {
      apiVersion: "telemetry.istio.io/v1",
      kind: "Telemetry",
      metadata: meshWide("trace-everything"),
      spec: { tracing: [{ randomSamplingPercentage: 100 }] },
    },
  ]),
];

function ready(name: string, description: string, objects: object[]): ConfigObject {
  const spec = { description, objects };
  return { apiVersion: "limpid.dev/v1alpha1", kind: "Design", metadata: { name, namespace: "" }, spec };
}
