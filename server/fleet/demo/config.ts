import type { ConfigObject } from "../../config/object.ts";
import { type WorkloadPorts, workloadPorts } from "../ports.ts";
import { gatewaySecret } from "./gateway-certificate.ts";
import { grpcRatings } from "./ratings-grpc.ts";
import { type DemoWorkload, demoWorkloads } from "./workloads.ts";

/** What the demo mesh starts with: namespaces, services, workload entries, and Bookinfo's gateway, routes and subsets. */
export function demoConfig(
  portOffset: number,
  grpc = false,
  platform: NodeJS.Platform = process.platform,
): ConfigObject[] {
  const apps = [...new Set(demoWorkloads.map((workload) => workload.app))];
  return [
    object("v1", "Namespace", "", "default", {}),
    object("v1", "Namespace", "", "istio-system", {}),
    ...apps.map((app) => service(app, grpc && app === "ratings")),
    ...demoWorkloads.map((workload) =>
      workloadEntry(workload, grpc && workload.app === "ratings", workloadPorts(workload.index, portOffset, platform)),
    ),
    object("networking.istio.io/v1", "Gateway", "default", "bookinfo-gateway", {
      selector: { istio: "ingressgateway" },
      servers: [
        { port: { number: 8080, name: "http", protocol: "HTTP" }, hosts: ["*"] },
        {
          port: { number: 8443, name: "https", protocol: "HTTPS" },
          hosts: ["*"],
          tls: { mode: "SIMPLE", credentialName: gatewaySecret },
        },
      ],
    }),
    object("networking.istio.io/v1", "VirtualService", "default", "bookinfo", {
      hosts: ["*"],
      gateways: ["bookinfo-gateway"],
      http: [
        {
          match: [
            { uri: { exact: "/productpage" } },
            { uri: { prefix: "/static" } },
            { uri: { exact: "/login" } },
            { uri: { exact: "/logout" } },
            { uri: { prefix: "/api/v1/products" } },
          ],
          route: [{ destination: { host: "productpage", port: { number: 9080 } } }],
        },
      ],
    }),
    ...apps.map((app) => destinationRule(app)),
    object("networking.istio.io/v1", "VirtualService", "default", "reviews", {
      hosts: ["reviews"],
      http: [
        {
          route: [
            { destination: { host: "reviews", subset: "v1" }, weight: 50 },
            { destination: { host: "reviews", subset: "v2" }, weight: 30 },
            { destination: { host: "reviews", subset: "v3" }, weight: 20 },
          ],
        },
      ],
    }),
  ];
}

const object = (
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  spec: Record<string, unknown>,
  labels?: Record<string, string>,
): ConfigObject => ({ apiVersion, kind, metadata: { name, namespace, ...(labels && { labels }) }, spec });

const service = (app: string, grpc: boolean) =>
  object(
    "v1",
    "Service",
    "default",
    app,
    {
      selector: { app },
      ports: [
        { name: "http", port: 9080, targetPort: "http", protocol: "TCP" },
        ...(grpc ? [{ ...grpcRatings, targetPort: grpcRatings.name, protocol: "TCP" }] : []),
      ],
    },
    { app, service: app },
  );

function workloadEntry(workload: DemoWorkload, grpc: boolean, ports: WorkloadPorts) {
  return object("networking.istio.io/v1", "WorkloadEntry", workload.namespace, workload.name, {
    address: ports.ip,
    ports: { http: ports.inbound, ...(grpc && { [grpcRatings.name]: ports.grpcInbound }) },
    // As Istio's injector labels what has a proxy: callers come by mutual TLS without being asked to.
    labels: { app: workload.app, version: workload.version, "security.istio.io/tlsMode": "istio" },
    serviceAccount: `bookinfo-${workload.app}`,
  });
}

function destinationRule(app: string) {
  const versions = demoWorkloads.filter((workload) => workload.app === app).map((workload) => workload.version);
  return object("networking.istio.io/v1", "DestinationRule", "default", app, {
    host: app,
    subsets: versions.map((version) => ({ name: version, labels: { version } })),
  });
}
