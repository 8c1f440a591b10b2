import { describe } from "vitest";
import { gw, httpPort, keepsAsWritten, object, refusesByPath } from "./testing/objects.ts";

describe("accepts, and keeps as written", () => {
  keepsAsWritten([
    [
      "a gateway",
      gw({ hosts: ["prod/*.example.com", "./x.example.com", "*"], tls: { httpsRedirect: true }, bind: "0.0.0.0" }),
    ],
    [
      "a gateway that passes TLS and TCP through",
      object("Gateway", {
        servers: [
          { port: { number: 443, name: "tls", protocol: "TLS" }, hosts: ["a.example"], tls: { mode: "PASSTHROUGH" } },
          { port: { number: 31400, name: "tcp", protocol: "TCP" }, hosts: ["*"] },
        ],
      }),
    ],
  ]);
});

describe("refuses, by path", () => {
  refusesByPath([
    [
      "gateways",
      gw({ port: { ...httpPort, protocol: "HTTPS", number: 0 }, hosts: ["a/b/c"], tls: { mode: "SIMPLE" }, bind: "x" }),
      [
        "spec.servers[0].port.number: must be at least 1, not 0",
        "spec.servers[0].hosts[0]: must be a domain name",
        'spec.servers[0].bind: must be an IP address, not "x"',
        "spec.servers[0].tls.credentialName: is required for mode: SIMPLE, or serverCertificate, privateKey",
      ],
    ],
    [
      "TLS that ends at a gateway",
      object("Gateway", {
        servers: [
          { mode: "SIMPLE", credentialName: "a/b", serverCertificate: "/c.pem", caCrl: "/crl.pem" },
          { mode: "MUTUAL", serverCertificate: "/c.pem", minProtocolVersion: "TLSV1_3", maxProtocolVersion: "TLSV1_2" },
          { mode: "ISTIO_MUTUAL", credentialName: "a", cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA25"] },
          { mode: "OPTIONAL_MUTUAL", credentialName: "a", verifyCertificateHash: ["x"], verifyCertificateSpki: ["x"] },
          { mode: "AUTO_PASSTHROUGH" },
          { mode: "NONE" },
        ].map((tls, index) => ({
          port: { number: index + 1, name: `${index}`, protocol: "HTTPS" },
          hosts: ["*"],
          tls,
        })),
      }),
      [
        "spec.servers[0].tls.credentialName: must be the name of a Secret in the gateway workload's namespace",
        "spec.servers[0].tls.credentialName: must not be beside serverCertificate",
        "spec.servers[0].tls.privateKey: is required beside the other",
        "spec.servers[0].tls.caCrl: has no effect with mode: SIMPLE",
        "spec.servers[1].tls.privateKey: is required beside the other",
        "spec.servers[1].tls.caCertificates: is required for mode: MUTUAL",
        "spec.servers[1].tls.minProtocolVersion: is above maxProtocolVersion",
        'spec.servers[2].tls.cipherSuites[0]: must be a cipher suite of TLS 1.2 such as ECDHE-RSA-AES128-GCM-SHA256, not "ECDHE-RSA-AES128-GCM-SHA25"; did you mean',
        "spec.servers[2].tls.credentialName: has no effect with mode: ISTIO_MUTUAL",
        "spec.servers[2].tls.cipherSuites: has no effect with mode: ISTIO_MUTUAL",
        "spec.servers[3].tls.verifyCertificateSpki[0]: must be a SHA-256 in base64",
        "spec.servers[3].tls.verifyCertificateHash[0]: must be a SHA-256 in hexadecimal",
        "spec.servers[4].tls.mode: AUTO_PASSTHROUGH needs protocol TLS",
        "spec.servers[5].tls.mode: must be one of PASSTHROUGH, SIMPLE",
      ],
    ],
    [
      "TLS of gateways, by protocol",
      object("Gateway", {
        servers: [
          { port: { number: 1, name: "a", protocol: "TLS" }, hosts: ["*"] },
          { port: { number: 2, name: "b", protocol: "HTTP" }, hosts: ["*"], tls: { mode: "PASSTHROUGH" } },
          { port: { number: 3, name: "c", protocol: "TCP" }, hosts: ["*"], tls: {} },
          { port: { number: 4, name: "d", protocol: "UDP" }, hosts: ["*"] },
          { port: { number: 5, name: "e", protocol: "HTTPS" }, hosts: ["*"], tls: { httpsRedirect: true } },
        ],
      }),
      [
        "spec.servers[0].tls.mode: is required for protocol TLS",
        "spec.servers[1].tls.mode: a server of protocol HTTP has no TLS",
        "spec.servers[2].tls: a server of protocol TCP has no TLS",
        "spec.servers[3].port.protocol: UDP is not supported by gateways",
        "spec.servers[4].tls.httpsRedirect: has no effect with protocol: HTTPS",
      ],
    ],
  ]);
});
