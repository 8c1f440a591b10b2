import { ProxyStartsRequest } from "../../../contract/index.ts";
import { proxyStart } from "../../../model/proxy-configs.ts";
import { decodeObject } from "../body.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest } from "../status-error.ts";

/** `POST /limpid/v1/proxy-starts`: what proxies of these workloads are to be started with, for whoever starts them. */
export async function proxyStarts(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const parsed = ProxyStartsRequest.safeParse(await decodeObject(request.body, request.contentType));
  if (!parsed.success) throw badRequest("workloads must be a list of {namespace, labels}");
  const mesh = await context.mesh();
  const starts = parsed.data.workloads.map((workload) => {
    const { concurrency, environmentVariables } = proxyStart(mesh, workload);
    return { environmentVariables, ...(concurrency !== undefined && { concurrency }) };
  });
  return { status: 200, body: { starts } };
}
