import { memo } from "../lib/memo.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { matchesLabels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import { offersMutualTls, takesMutualTls } from "../model/mutual-tls-endpoints.ts";
import type { ClusterDraft } from "./outbound-cluster.ts";

/** Whether any endpoint says so: otherwise clusters need not look at endpoints for it. */
export const isUsed = (mesh: Mesh): boolean =>
  memo(mesh.endpoints, "auto-mutual-tls", [], () =>
    [...mesh.endpoints.values()].some(({ byPort }) =>
      [...byPort.values()].flat().some(({ labels, workload }) => offersMutualTls(labels, workload)),
    ),
  );

/**
 * A cluster without a word about TLS, inside the mesh and for a client with a certificate: mutual TLS where all endpoints take it; where some
 * do, each endpoint's own.
 */
export function withAutoMutualTls(mesh: Mesh, draft: ClusterDraft): ClusterDraft {
  const { service, policy, certified } = draft;
  if (!certified || policy.tls?.mode !== undefined || service.external || draft.discovery !== "eds") return draft;
  const members = membersOf(mesh, draft);
  const taking = members.filter((it) => takesMutualTls(mesh, it));
  if (taking.length === 0) return draft;
  const tls = { mode: "ISTIO_MUTUAL" as const };
  if (taking.length === members.length) return { ...draft, policy: { ...policy, tls } };
  return { ...draft, policy: { ...policy, tls }, mutualTls: taking };
}

const membersOf = (mesh: Mesh, { service, port, labels }: ClusterDraft): Endpoint[] =>
  (mesh.endpoints.get(service.key)?.byPort.get(port.port) ?? []).filter((it) => matchesLabels(labels, it.labels));
