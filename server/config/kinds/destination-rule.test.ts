import { describe } from "vitest";
import { dr, keepsAsWritten, refusesByPath } from "./testing/objects.ts";

describe("accepts, and keeps as written", () => {
  keepsAsWritten([
    [
      "subsets",
      dr(
        { loadBalancer: { simple: "LEAST_CONN" } },
        { subsets: [{ name: "v2-mysql", labels: { version: "v2-mysql" } }, { name: "v1" }] },
      ),
    ],
    [
      "pools",
      dr({
        connectionPool: {
          tcp: { maxConnections: 1, connectTimeout: "30ms", idleTimeout: "0s", tcpKeepalive: { probes: 3 } },
          http: { http2MaxRequests: 1000, maxRequestsPerConnection: 10 },
        },
      }),
    ],
    [
      "outliers",
      dr({
        outlierDetection: { consecutive5xxErrors: 7, interval: "5m", baseEjectionTime: "15m", maxEjectionPercent: 100 },
      }),
    ],
    [
      "policies of a port",
      dr({
        portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: "RANDOM" } }],
        tls: { mode: "DISABLE" },
      }),
    ],
    [
      "TLS that the proxy begins",
      dr({ tls: { mode: "SIMPLE", sni: "a.example", subjectAltNames: ["a.example"], caCertificates: "/etc/ca.pem" } }),
    ],
    ["mutual TLS", dr({ tls: { mode: "ISTIO_MUTUAL", sni: "a.example", subjectAltNames: ["spiffe://a/ns/b/sa/c"] } })],
    [
      "of some workloads",
      dr({ loadBalancer: { simple: "RANDOM" } }, { workloadSelector: { matchLabels: { app: "a" } }, exportTo: ["."] }),
    ],
    [
      "of all workloads of its namespace",
      dr({ loadBalancer: { simple: "RANDOM" } }, { workloadSelector: {}, exportTo: ["default"] }),
    ],
    ["mutual TLS with files", dr({ tls: { mode: "MUTUAL", clientCertificate: "/c.pem", privateKey: "/k.pem" } })],
  ]);
});

describe("refuses, by path", () => {
  refusesByPath([
    [
      "a selector of others' workloads",
      dr({ loadBalancer: { simple: "RANDOM" } }, { workloadSelector: { labels: { app: "a" } }, exportTo: ["*"] }),
      ["spec.workloadSelector.labels: unknown field", 'spec.exportTo: must be "." or the own namespace'],
    ],
    [
      "a selector that is exported",
      dr(
        { loadBalancer: { simple: "RANDOM" } },
        { workloadSelector: { matchLabels: { "a*": "b" } }, exportTo: [".", "shop"] },
      ),
      ["spec.workloadSelector.matchLabels", 'spec.exportTo: must be "." or the own namespace'],
    ],
    [
      "mutual TLS",
      dr({
        tls: {
          mode: "ISTIO_MUTUAL",
          sni: "*.x",
          clientCertificate: "c.pem",
          caCertificates: "/c.pem",
          insecureSkipVerify: true,
        },
      }),
      [
        "spec.trafficPolicy.tls.sni: must be one name, without '*'",
        "spec.trafficPolicy.tls.clientCertificate: has no effect without mode: MUTUAL",
        "spec.trafficPolicy.tls.caCertificates: has no effect with mode: ISTIO_MUTUAL",
        "spec.trafficPolicy.tls.insecureSkipVerify: has no effect with mode: ISTIO_MUTUAL",
      ],
    ],
    [
      "a certificate of one's own",
      dr(
        { tls: { mode: "MUTUAL", caCertificates: "ca.pem", credentialName: "x" } },
        {
          subsets: [
            { name: "a", trafficPolicy: { tls: { mode: "TLS" } } },
            { name: "b", trafficPolicy: { tls: { mode: "MUTUAL" } } },
            { name: "c", trafficPolicy: { tls: { mode: "ISTIO_MUTUAL", credentialName: "a/b" } } },
          ],
        },
      ),
      [
        "spec.trafficPolicy.tls.caCertificates: must not be beside credentialName",
        "spec.subsets[0].trafficPolicy.tls.mode: must be one of DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL",
        "spec.subsets[1].trafficPolicy.tls.clientCertificate: is required for mode: MUTUAL, or credentialName",
        "spec.subsets[1].trafficPolicy.tls.privateKey: is required for mode: MUTUAL, or credentialName",
        "spec.subsets[2].trafficPolicy.tls.credentialName: must be the name of a Secret",
        "spec.subsets[2].trafficPolicy.tls.credentialName: has no effect with mode: ISTIO_MUTUAL",
      ],
    ],
    [
      "TLS without a check, and with one",
      dr({ tls: { mode: "SIMPLE", insecureSkipVerify: true, caCertificates: "ca.pem", subjectAltNames: ["a"] } }),
      [
        "spec.trafficPolicy.tls.caCertificates: has no effect with insecureSkipVerify: true",
        "spec.trafficPolicy.tls.subjectAltNames: has no effect with insecureSkipVerify: true",
      ],
    ],
    [
      "balancers",
      dr({ loadBalancer: { simple: "ROUND-ROBIN", consistentHash: { useSourceIp: true } } }),
      [
        "spec.trafficPolicy.loadBalancer.simple: must be one of UNSPECIFIED, LEAST_CONN, LEAST_REQUEST, PASSTHROUGH, RANDOM, ROUND_ROBIN; did you mean ROUND_ROBIN?",
        "spec.trafficPolicy.loadBalancer: must have only one of simple, consistentHash",
      ],
    ],
    [
      "policies that say nothing, of a host and of a port",
      dr({}, { subsets: [{ name: "a", trafficPolicy: { portLevelSettings: [{ port: { number: 80 } }] } }] }),
      [
        "spec.trafficPolicy: needs at least one of loadBalancer, connectionPool, outlierDetection, tls, portLevelSettings, tunnel, proxyProtocol, retryBudget",
        "spec.subsets[0].trafficPolicy.portLevelSettings[0]: needs at least one of loadBalancer, connectionPool, outlierDetection, tls",
      ],
    ],
    [
      "hashes of nothing, of two things, and in two ways",
      dr(
        { loadBalancer: { consistentHash: { maglev: { tableSize: 100 }, ringHash: { minimumRingSize: 9 } } } },
        {
          subsets: [
            {
              name: "v1",
              trafficPolicy: {
                loadBalancer: { consistentHash: { useSourceIp: true, httpCookie: { name: "", ttl: "1" } } },
              },
            },
          ],
        },
      ),
      [
        "spec.trafficPolicy.loadBalancer.consistentHash: must have one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName",
        "spec.trafficPolicy.loadBalancer.consistentHash: must have only one of ringHash, maglev, minimumRingSize; it has ringHash, maglev",
        "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize: must be a prime number, not 100",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash.httpCookie.name: must not be empty",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl: must be a duration",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash: must have only one of",
      ],
    ],
    [
      "localities",
      dr({
        loadBalancer: {
          localityLbSetting: {
            distribute: [{ from: "eu/*", to: { "eu/a": 60, "eu/b": 30 } }],
            failover: [{ from: "eu", to: "eu" }],
          },
        },
      }),
      [
        "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to: must sum to 100, not 90",
        "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0].to: must be another region than from",
        "spec.trafficPolicy.loadBalancer.localityLbSetting: must have only one of distribute, failover",
      ],
    ],
    ["empty policies", dr({}), ["spec.trafficPolicy: needs at least one of"]],
    [
      "subsets",
      dr(
        { connectionPool: {} },
        { subsets: [{ name: "v1" }, { name: "v1" }, { name: "v.2", labels: { "a b": "c d" } }] },
      ),
      [
        "spec.trafficPolicy.connectionPool: needs at least one of tcp, http",
        "spec.subsets[2].name: must be a DNS label",
        'spec.subsets[2].labels["a b"]: its name must be',
        "spec.subsets[1].name: v1 is the name of subsets[0] too",
      ],
    ],
    [
      "outliers",
      dr({
        outlierDetection: {
          maxEjectionPercent: 101,
          consecutiveLocalOriginFailures: 1,
          outlierDetectionHttpErrorCodes: [429, 99],
        },
      }),
      [
        "spec.trafficPolicy.outlierDetection.maxEjectionPercent: must be at most 100, not 101",
        "spec.trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes[1]: must be at least 100, not 99",
        "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: needs splitExternalLocalOriginErrors: true",
      ],
    ],
  ]);
});
