import { describe } from "vitest";
import { httpPort, keepsAsWritten, refusesByPath, se, svc, we } from "./testing/objects.ts";

describe("accepts, and keeps as written", () => {
  keepsAsWritten([
    ["an external service", se({ location: "MESH_EXTERNAL", addresses: ["10.1.1.1"], exportTo: ["~"] })],
    [
      "endpoints",
      se({
        resolution: "STATIC",
        addresses: ["10.0.0.0/8"],
        endpoints: [{ address: "10.0.0.1", ports: { http: 8080 }, labels: { version: "v1" } }],
      }),
    ],
    [
      "a workload",
      we({
        ports: { http: 9080 },
        labels: { app: "reviews", version: "v1" },
        locality: "a/b/c",
        weight: 2,
        serviceAccount: "r",
        network: "n",
      }),
    ],
    [
      "a service",
      svc({
        selector: { app: "reviews" },
        type: "ClusterIP",
        clusterIP: "None",
        ports: [
          { port: 80, name: "a", targetPort: "http-web" },
          { port: 81, name: "b", targetPort: 8081, protocol: "TCP", appProtocol: "http" },
        ],
      }),
    ],
    ["a namespace", { apiVersion: "v1", kind: "Namespace", metadata: { name: "prod" }, spec: {} }],
  ]);
});

describe("refuses, by path", () => {
  refusesByPath([
    [
      "a Sidecar's hosts and ports",
      {
        apiVersion: "networking.istio.io/v1",
        kind: "Sidecar",
        metadata: { name: "a" },
        spec: {
          egress: [{ hosts: ["reviews", "A_B/*", "./a/b"], port: { number: 1 } }, { hosts: [] }],
          ingress: [{ port: { number: 1, protocol: "HTP", name: "a" }, defaultEndpoint: "unix:///a" }],
        },
      },
      [
        'spec.egress[0].hosts[0]: must be of a form such as <namespace>/<host>, "./*", not "reviews"',
        'spec.egress[0].hosts[1]: must be ".", "*", "~" or a namespace, not "A_B"',
        "spec.egress[0].hosts[2]: must be of a form such as <namespace>/<host>",
        "spec.egress[0].port: not supported yet by Limpid; a call names its service",
        "spec.egress[1].hosts: needs at least one entry",
        "spec.ingress[0].port.protocol: must be one of",
        "spec.ingress[0].defaultEndpoint: must be of a form such as 127.0.0.1:<port>",
      ],
    ],
    [
      "protocols",
      se({ ports: [{ ...httpPort, protocol: "HTPP" }, { ...httpPort }] }),
      [
        'spec.ports[0].protocol: must be one of HTTP, HTTP2, HTTPS, GRPC, GRPC-WEB, TCP, TLS, MONGO, MYSQL, REDIS, UDP, HTTP_PROXY, not "HTPP"; did you mean HTTP?',
        "spec.ports[1].name: http is the name of ports[0] too",
        "spec.ports[1].number: 80 is the number of ports[0] too",
      ],
    ],
    [
      "resolutions",
      se({ resolution: "DNS", hosts: ["*.example.com"], addresses: ["10.0.0.0/8"] }),
      [
        "spec.addresses[0]: a CIDR block needs resolution NONE or STATIC",
        "spec.hosts[0]: a wildcard can't be resolved",
      ],
    ],
    [
      "endpoints",
      se({
        resolution: "STATIC",
        endpoints: [{ address: "host.example.com", ports: { web: 1 } }, {}],
        workloadSelector: {},
      }),
      [
        "spec.endpoints[1].address: is required",
        "spec.workloadSelector: must not be beside endpoints",
        "spec.endpoints[0].address: must be an IP address for resolution STATIC",
        "spec.endpoints[0].ports.web: is not the name of one of spec.ports",
      ],
    ],
    [
      "TCP for several hosts",
      se({ hosts: ["a", "b"], ports: [{ number: 1, name: "t", protocol: "TCP" }] }),
      ["spec.ports[0].protocol: must be HTTP or TLS"],
    ],
    [
      "workloads",
      we({ address: "unix:///x", ports: { "a/b": 0 } }),
      [
        "spec.address: unix domain sockets are not supported yet by Limpid",
        'spec.ports["a/b"]: "a/b" is not a valid port name',
      ],
    ],
    [
      "services",
      svc({
        type: "ExternalName",
        sessionAffinity: "ClientIP",
        externalIPs: [],
        ports: [{ port: 1 }, { port: 1, targetPort: "TOO BIG" }],
      }),
      [
        "spec.ports[1].targetPort: must be a port number, or a port's name",
        "spec.ports[0].name: is required when there are several ports",
        "spec.ports[1].name: is required when there are several ports",
        "spec.ports[1].port: 1 is the port of ports[0] too",
        "spec.type: not supported yet by Limpid; use a ServiceEntry with resolution DNS",
        "spec.sessionAffinity: must be None",
        "spec.externalIPs: not supported yet by Limpid",
      ],
    ],
  ]);
});
