import type { ConfigApiClient } from "../config/api-client.ts";
import { DashboardError, type ProxyList, type TelemetryHealth, told } from "../contract/index.ts";
import { type BundleSources, debugBundle } from "./debug-bundle.ts";
import type { Meshes } from "./meshes.ts";

export interface Bundles {
  /** Of the mesh, or of one proxy, as a .tar.gz. Rejects with NOT_FOUND where nobody knows the proxy. */
  debugBundle(id?: string): Promise<{ name: string; data: Buffer }>;
}

export interface MeshBundleSources extends Omit<BundleSources, "mesh"> {
  api: Pick<ConfigApiClient, "changes" | "pushHistory">;
  meshes: Pick<Meshes, "exportMesh">;
  proxies(): Promise<ProxyList>;
  telemetry(): Promise<TelemetryHealth>;
}

export function createBundles({ api, meshes, telemetry, ...sources }: MeshBundleSources): Bundles {
  const { proxies } = sources;
  const mesh = {
    "mesh.yaml": async () => (await meshes.exportMesh()).yaml,
    "history.json": () => api.changes({ sinceMs: 0, limit: 200 }),
    "pushes.json": api.pushHistory,
    "proxies.json": proxies,
    "telemetry.json": telemetry,
  };
  return {
    async debugBundle(id) {
      if (id !== undefined && !(await proxies()).proxies.some((proxy) => proxy.id === id)) {
        throw new DashboardError({ code: "NOT_FOUND", ...told("no-proxy", { id }) });
      }
      return debugBundle({ ...sources, mesh }, id);
    },
  };
}
