import { type ServiceLink, serviceLink, type WorkloadView, type WorkloadViews } from "../../../contract/index.ts";
import type { Endpoint } from "../../../model/endpoints.ts";
import { foundOf } from "../../../model/health-checks.ts";
import { compare } from "../../../model/hostname.ts";
import type { Labels } from "../../../model/labels.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { decidedMode } from "../../../model/peer-authentications.ts";
import type { ApiContext } from "../context.ts";
import type { ApiResponse } from "../router.ts";

/** `GET /limpid/v1/workloads`: what stands behind the mesh's services, each with what its ports take. */
export async function listWorkloads(context: ApiContext): Promise<ApiResponse> {
  const mesh = await context.mesh();
  const body: WorkloadViews = { trustDomain: mesh.options.trustDomain, workloads: workloadViews(mesh) };
  return { status: 200, body };
}

interface Draft {
  endpoint: Endpoint;
  services: Map<string, ServiceLink>;
  endpoints: Map<string, WorkloadView["endpoints"][number]>;
}

/** Ordered by namespace and name. */
export function workloadViews(mesh: Mesh): WorkloadView[] {
  const drafts = new Map<string, Draft>();
  for (const service of mesh.services.values()) {
    if (service.external) continue;
    for (const endpoint of [...(mesh.endpoints.get(service.key)?.byPort.values() ?? [])].flat()) {
      const { workload, address, port } = endpoint;
      const key = `${workload.namespace}/${workload.name}`;
      const draft = drafts.get(key) ?? { endpoint, services: new Map(), endpoints: new Map() };
      drafts.set(key, draft);
      draft.services.set(service.key, serviceLink(service));
      const healthy = foundOf(mesh, service, endpoint);
      const found = healthy === undefined ? {} : { health: healthy ? ("healthy" as const) : ("unhealthy" as const) };
      draft.endpoints.set(`${address}:${port}`, { address, port, ...found });
    }
  }
  return [...drafts.values()]
    .map((draft) => viewOf(mesh, draft))
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

function viewOf(mesh: Mesh, { endpoint, services, endpoints }: Draft): WorkloadView {
  const { workload, labels } = endpoint;
  const all = [...endpoints.values()];
  return {
    namespace: workload.namespace,
    name: workload.name,
    app: workload.canonicalService,
    version: workload.canonicalRevision,
    serviceAccount: workload.serviceAccount,
    labels: { ...labels },
    ...(workload.group && { group: workload.group }),
    services: [...services.values()],
    endpoints: all,
    mtls: [...new Set(all.map(({ port }) => port))].map((port) => modeOf(mesh, workload.namespace, labels, port)),
  };
}

function modeOf(mesh: Mesh, namespace: string, labels: Labels, port: number): WorkloadView["mtls"][number] {
  const { mode, by } = decidedMode(mesh.peerAuthentications, mesh.options.rootNamespace, { namespace, labels }, port);
  return { port, mode, by: by ?? null };
}
