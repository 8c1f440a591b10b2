import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseDocuments } from "../../../server/config/kinds/index.ts";
import { openPrismaConfigStore } from "../../../server/store/config/prisma-config-store.ts";
import { TypeUrl } from "../../../server/xds/types.ts";

/** One rule that splits between two subsets. All objects as JSON, which is YAML too. */
export function virtualServiceOf(index: number, weight: number): string {
  const to = (subset: string, share: number) => ({ destination: { host: hostOf(index), subset }, weight: share });
  return ruleOf(`s${index}`, [{ route: [to("v1", weight), to("v2", 100 - weight)] }]);
}

const hostOf = (index: number): string => `s${index}.default.svc.cluster.local`;

/** `third`: of the address of its endpoints. */
export const serviceEntryOf = (index: number, third = index >> 8): string =>
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: `s${index}`, namespace: "default" },
    spec: {
      hosts: [hostOf(index)],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ name: "http", number: 8080, protocol: "HTTP" }],
      endpoints: [1, 2, 3].map((version) => ({
        address: `10.1.${third}.${index & 255}`,
        ports: { http: 8000 + version },
        labels: { app: `s${index}`, version: `v${version}` },
      })),
    },
  });

const destinationRuleOf = (index: number): string =>
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: `s${index}`, namespace: "default" },
    spec: {
      host: hostOf(index),
      subsets: [1, 2, 3].map((version) => ({ name: `v${version}`, labels: { version: `v${version}` } })),
    },
  });

/** A rule with a route for each subset. */
export const threeRoutesOf = (index: number): string =>
  ruleOf(`s${index}`, [
    { match: [{ uri: { prefix: "/v1" } }], route: [{ destination: { host: hostOf(index), subset: "v1" } }] },
    { match: [{ uri: { prefix: "/v2" } }], route: [{ destination: { host: hostOf(index), subset: "v2" } }] },
    { route: [{ destination: { host: hostOf(index), subset: "v3" } }] },
  ]);

const ruleOf = (name: string, http: unknown[]): string =>
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "default" },
    spec: { hosts: [`${name}.default.svc.cluster.local`], http },
  });

const toggledHost = "toggled.default.svc.cluster.local";

/** All of its traffic to one version. */
export const toggleOf = (version: string): string =>
  ruleOf("toggled", [{ route: [{ destination: { host: toggledHost, subset: version } }] }]);

/** A service whose two versions answer on this machine. */
export const toggledObjects = (ports: readonly number[]): string[] => [
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "toggled", namespace: "default" },
    spec: {
      hosts: [toggledHost],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ name: "http", number: 8080, protocol: "HTTP" }],
      endpoints: ports.map((port, i) => ({
        address: "127.0.0.1",
        ports: { http: port },
        labels: { app: "toggled", version: `v${i + 1}` },
      })),
    },
  }),
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "toggled", namespace: "default" },
    spec: {
      host: toggledHost,
      subsets: ports.map((_, i) => ({ name: `v${i + 1}`, labels: { version: `v${i + 1}` } })),
    },
  }),
  toggleOf("v1"),
];

/** A namespace whose proxies see nothing of the others. */
export const apartObjects: readonly string[] = [
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name: "default", namespace: "apart" },
    spec: { egress: [{ hosts: ["./*"] }] },
  }),
];

/** What a proxy of such a mesh says it holds: the names that it has, with versions of the same length. */
export function heldOf(services: number): Record<string, Record<string, string>> {
  const hosts = Array.from({ length: services }, (_, i) => hostOf(i));
  const clusters = hosts.flatMap((host) => ["", "v1", "v2", "v3"].map((subset) => `outbound|8080|${subset}|${host}`));
  const versions = (names: string[]) =>
    Object.fromEntries(names.map((name, i) => [name, i.toString(16).padStart(16, "0")]));
  return {
    [TypeUrl.cluster]: versions([...clusters, "BlackHoleCluster"]),
    [TypeUrl.endpoint]: versions(clusters),
    [TypeUrl.listener]: versions(["http_proxy"]),
    [TypeUrl.route]: versions(["http_proxy"]),
    [TypeUrl.virtualHost]: versions(hosts.map((host) => `http_proxy/${host}:8080`)),
  };
}

/** A data folder whose mesh has so many services, each with three subsets and a rule. */
export async function seedMesh(data: string, services: number): Promise<void> {
  const indices = Array.from({ length: services }, (_, i) => i);
  await seedObjects(
    data,
    indices.flatMap((index) => [serviceEntryOf(index), destinationRuleOf(index), virtualServiceOf(index, 50)]),
  );
}

/** Into the store of a data folder that no control plane uses. */
export async function seedObjects(data: string, texts: readonly string[]): Promise<void> {
  mkdirSync(data, { recursive: true });
  const store = await openPrismaConfigStore({
    url: `file:${join(data, "config.db")}`,
    migrations: "prisma/config/migrations",
  });
  try {
    for (let from = 0; from < texts.length; from += 300) {
      const parsed = parseDocuments(texts.slice(from, from + 300).join("\n---\n"));
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors.slice(0, 3)));
      await store.commit(
        parsed.value.map((object) => ({ op: "put" as const, object })),
        "bench",
      );
    }
  } finally {
    await store.close();
  }
}
