import { create } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import type { WorkloadGroupSpec } from "../../config/kinds/index.ts";
import type { ProxyConfigMetadata } from "../../fleet/bootstrap.ts";
import {
  WorkloadRequestSchema,
  type WorkloadResponse,
  WorkloadService,
} from "../../gen/proto/limpid/join/v1/workload_pb.js";
import { makeClient } from "../../lib/grpc.ts";
import { controlPlaneChannel, controlPlaneCredentials, type Obtained } from "../../sdk/request-certificate.ts";

export interface DescribedWorkload {
  group: WorkloadGroupSpec | undefined;
  proxyConfig: ProxyConfigMetadata;
}

const timeoutMs = 15_000;

/** What the control plane has for a workload that shows this certificate. Throws an Error of one sentence. */
export async function describeWorkload(
  at: { host: string; port: number },
  { keyPem, chainPem, rootPem }: Omit<Obtained, "identity">,
  asked: { group: string; labels: Record<string, string> },
): Promise<DescribedWorkload> {
  const own = controlPlaneCredentials(rootPem, { keyPem, chainPem });
  const client = makeClient(WorkloadService, `${at.host}:${at.port}`, controlPlaneChannel, own);
  try {
    const { groupJson, proxyConfigJson } = await new Promise<WorkloadResponse>((resolve, reject) =>
      client.describe(
        create(WorkloadRequestSchema, asked),
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => (response ? resolve(response) : reject(error)),
      ),
    );
    return {
      group: groupJson === "" ? undefined : (JSON.parse(groupJson) as WorkloadGroupSpec),
      proxyConfig: JSON.parse(proxyConfigJson || "{}") as ProxyConfigMetadata,
    };
  } catch (error) {
    const { code, details = String(error) } = error as { code?: status; details?: string };
    // One from before there were groups has nothing to tell, and need not: the workload joins as it did.
    if (code === status.UNIMPLEMENTED && asked.group === "") return { group: undefined, proxyConfig: {} };
    throw new Error(`the control plane at ${at.host}:${at.port} tells nothing of the workload: ${details}`);
  } finally {
    client.close();
  }
}
