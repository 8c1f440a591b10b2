import type { ConfigObject } from "../../config/object.ts";
import type { ProxySync, WorkloadView } from "../../contract/index.ts";
import { buildMesh, type Mesh } from "../../model/mesh.ts";
import type { EdgeRow, LogRow, RollupSum } from "../../query/reader.ts";
import { createGuarding, type Guarding } from "../guarding.ts";
import { type AdvisedWorkload, advisedWorkloads, identitiesOf } from "../workload-proxy.ts";

/** Two applications with proxies, `page` and `reviews`, and `legacy`, which has none. */
const addresses = { page: "10.0.0.1", reviews: "10.0.0.2", legacy: "10.0.0.3" } as const;
type App = keyof typeof addresses;
const apps = Object.keys(addresses) as App[];

const labelsOf = (app: App) => ({
  app,
  version: "v1",
  ...(app !== "legacy" && { "security.istio.io/tlsMode": "istio" }),
});

export const object = (kind: string, name: string, spec: object, namespace = "default"): ConfigObject => ({
  apiVersion: "security.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec: { ...spec },
});

export const shopMesh = (...more: ConfigObject[]): Mesh =>
  buildMesh(
    [
      ...apps.flatMap((app) => [
        object("Service", app, { selector: { app }, ports: [{ name: "http", port: 9080 }] }),
        object("WorkloadEntry", `${app}-v1`, {
          address: addresses[app],
          labels: labelsOf(app),
          serviceAccount: app,
        }),
      ]),
      ...more,
    ],
    1,
  );

export const views: WorkloadView[] = apps.map((app) => ({
  namespace: "default",
  name: `${app}-v1`,
  app,
  version: "v1",
  serviceAccount: app === "legacy" ? "" : app,
  labels: labelsOf(app),
  services: [{ namespace: "default", hostname: `${app}.default.svc.cluster.local`, name: app }],
  endpoints: [{ address: addresses[app], port: 9080 }],
  mtls: [{ port: 9080, mode: "PERMISSIVE", by: null }],
}));

export const spiffe = (app: string): string => `spiffe://cluster.local/ns/default/sa/${app}`;

const proxies = (["page", "reviews"] as const).map(
  (app) =>
    ({
      ...{ id: `sidecar~${addresses[app]}~${app}-v1.default~default.svc.cluster.local`, kind: "sidecar" },
      ...{ namespace: "default", name: `${app}-v1`, app, version: "v1", address: addresses[app] },
      ...{ connected: true, implementation: "limpid-sidecar 1", identity: spiffe(app) },
    }) satisfies Partial<ProxySync>,
) as Pick<
  ProxySync,
  "id" | "kind" | "namespace" | "name" | "app" | "version" | "address" | "connected" | "implementation" | "identity"
>[];

export const advised: AdvisedWorkload[] = advisedWorkloads(views, proxies);
export const identities = identitiesOf(views, proxies, "cluster.local");
export const guardingOf = (mesh: Mesh): Guarding => createGuarding(mesh, views);

const peer = (app: App | "") => ({
  workload: app && `${app}-v1`,
  namespace: app && "default",
  app,
  version: app && "v1",
});

/** As the destination told it. */
export const edge = (from: App | "", to: App, its: Partial<EdgeRow> = {}): EdgeRow => ({
  ...{ id: 1, reporter: "destination", gateway: false, protocol: "http", mtls: true },
  source: peer(from),
  destination: peer(to),
  service: `${to}.default.svc.cluster.local`,
  ...its,
});

export const calls = (of: EdgeRow, count: number): RollupSum => ({
  edge: of,
  count,
  ...{ code: 200, grpcStatus: -1, flags: [], latency: new Uint8Array() },
  ...{ requestBytes: 0, responseBytes: 0, requestMessages: 0, responseMessages: 0 },
});

export const line = (of: EdgeRow, its: Partial<LogRow> = {}): LogRow => ({
  edge: of,
  ...{ id: 1, atMs: 1_000, direction: "inbound", proxy: "", code: 200, grpcStatus: -1, flags: [], durationMs: 1 },
  ...{ requestBytes: 0, responseBytes: 0, method: "GET", path: "/reviews/0", authority: "reviews:9080" },
  ...{ requestId: "r", traceId: "", upstreamCluster: "inbound|9080||", upstreamHost: "", details: "via_upstream" },
  config: "",
  ...its,
});
