import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  type WorkloadRequest,
  type WorkloadResponse,
  WorkloadResponseSchema,
  WorkloadService,
} from "../../gen/proto/limpid/join/v1/workload_pb.js";
import { addService, type ServiceHost, type SingleCall } from "../../lib/grpc.ts";
import { parseSpiffeUri } from "../../lib/spiffe.ts";
import type { Mesh } from "../../model/mesh.ts";
import { proxyConfigOf, proxyStart } from "../../model/proxy-configs.ts";
import type { WorkloadGroupSpec } from "../../model/specs.ts";
import { ownIdentity } from "../../model/trust-domains.ts";
import { peerIdentity } from "../../xds/peer-identity.ts";

export interface WorkloadServiceOptions {
  mesh(): Mesh;
  trustDomains(): readonly string[];
  isRevoked(identity: string): boolean;
}

/** What a machine is told of the workload that it is to be, when it joins by a group: nothing of another namespace's, nor of another account's. */
export function addWorkloadService(server: ServiceHost, options: WorkloadServiceOptions): void {
  addService(server, WorkloadService, {
    describe(call, callback) {
      try {
        callback(null, describe(call, options));
      } catch (error) {
        const refusal = error instanceof Refusal ? error : undefined;
        callback({ code: refusal?.code ?? status.INVALID_ARGUMENT, details: refusal?.message ?? "no identity" });
      }
    },
  });
}

class Refusal extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

function describe(
  call: SingleCall<WorkloadRequest>,
  { mesh: meshOf, trustDomains, isRevoked }: WorkloadServiceOptions,
): WorkloadResponse {
  const shown = peerIdentity(call);
  const domains = trustDomains();
  const identity = shown === undefined ? undefined : ownIdentity(shown, domains);
  const id = parseSpiffeUri(identity ?? "");
  if (identity === undefined || id === undefined || !domains.includes(id.trustDomain))
    throw new Refusal(status.UNAUTHENTICATED, "a certificate of a workload of the mesh is required here");
  if (isRevoked(identity)) throw new Refusal(status.PERMISSION_DENIED, `${identity} was revoked`);
  const mesh = meshOf();
  const { group: name, labels } = call.request;
  const group = name === "" ? undefined : mesh.objects.get("WorkloadGroup")?.get(`${id.namespace}/${name}`);
  if (name !== "" && group === undefined)
    throw new Refusal(status.NOT_FOUND, `there is no WorkloadGroup ${id.namespace}/${name}`);
  const spec = group?.spec as WorkloadGroupSpec | undefined;
  const { serviceAccount } = spec?.template ?? {};
  if (serviceAccount && serviceAccount !== id.serviceAccount) {
    throw new Refusal(
      status.PERMISSION_DENIED,
      `workloads of WorkloadGroup ${id.namespace}/${name} have the service account ${serviceAccount}, and this one has ${id.serviceAccount}`,
    );
  }
  const all = { ...spec?.template.labels, ...spec?.metadata?.labels, ...labels };
  const annotations = spec?.metadata?.annotations ?? {};
  const start = proxyStart(mesh, { namespace: id.namespace, labels: all, annotations });
  const config = { ...proxyConfigOf(start), ...(spec?.probe && { readinessProbe: spec.probe }) };
  return create(WorkloadResponseSchema, {
    groupJson: spec ? JSON.stringify(spec) : "",
    proxyConfigJson: JSON.stringify(config),
  });
}
