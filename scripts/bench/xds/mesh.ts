import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseDocuments } from "../../../server/config/kinds/index.ts";
import { openPrismaConfigStore } from "../../../server/store/config/prisma-config-store.ts";
import { TypeUrl } from "../../../server/xds/types.ts";

/** As JSON, which is YAML too. */
export function virtualServiceOf(index: number, weight: number): string {
  const host = `s${index}.default.svc.cluster.local`;
  const to = (subset: string, share: number) => ({ destination: { host, subset }, weight: share });
  return JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `s${index}`, namespace: "default" },
    spec: { hosts: [host], http: [{ route: [to("v1", weight), to("v2", 100 - weight)] }] },
  });
}

const serviceOf = (index: number): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: s${index}, namespace: default }
spec:
  hosts: [s${index}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  endpoints:
${[1, 2, 3].map((version) => `  - { address: 10.1.${index >> 8}.${index & 255}, ports: { http: ${8000 + version} }, labels: { app: s${index}, version: v${version} } }`).join("\n")}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: s${index}, namespace: default }
spec:
  host: s${index}.default.svc.cluster.local
  subsets:
${[1, 2, 3].map((version) => `  - { name: v${version}, labels: { version: v${version} } }`).join("\n")}
`;

/** What a proxy of such a mesh says it holds: the names that it has, with versions of the same length. */
export function heldOf(services: number): Record<string, Record<string, string>> {
  const hosts = Array.from({ length: services }, (_, i) => `s${i}.default.svc.cluster.local`);
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
  mkdirSync(data, { recursive: true });
  const store = await openPrismaConfigStore({
    url: `file:${join(data, "config.db")}`,
    migrations: "prisma/config/migrations",
  });
  try {
    for (let from = 0; from < services; from += 100) {
      const texts = Array.from({ length: Math.min(100, services - from) }, (_, i) => from + i);
      const parsed = parseDocuments(
        texts.map((index) => `${serviceOf(index)}---\n${virtualServiceOf(index, 50)}\n`).join("---\n"),
      );
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
