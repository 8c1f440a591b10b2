import { randomBytes } from "node:crypto";
import { injectFault, listFaults, removeFault, type VirtualService } from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { type FaultList, FaultRequest } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { StatusError } from "../status-error.ts";
import { runEdit } from "./edits.ts";
import { invalidFields, limpidActor, readBodyAs } from "./request.ts";
import { serviceConfig } from "./service-config.ts";

export async function getFaults(context: ApiContext): Promise<ApiResponse> {
  const { items } = await context.store.list({ kind: "VirtualService" });
  const body: FaultList = { now: context.clock.now(), faults: listFaults(items as unknown as VirtualService[]) };
  return { status: 200, body };
}

export async function postFault(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const fault = readBodyAs(FaultRequest, request);
  const { author } = limpidActor(request);
  const id = randomBytes(5).toString("hex");
  const build = async () => {
    const { ref, virtualService } = await serviceConfig(context, fault.namespace, fault.service);
    const result = injectFault(virtualService, ref, fault, { id, now: context.clock.now(), author });
    if (!result.ok) throw invalidFields(result.errors);
    return [{ before: virtualService as ConfigObject | undefined, after: result.value as ConfigObject }];
  };
  return runEdit(context, request, build, { retry: true });
}

export async function deleteFault(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", virtualService: name = "", id = "" } = request.params;
  const build = async () => {
    const before = await context.store.get({ kind: "VirtualService", namespace, name });
    if (before === undefined) throw new StatusError(404, "NotFound", `there is no VirtualService ${namespace}/${name}`);
    const result = removeFault(before as unknown as VirtualService, id);
    if (!result.ok)
      throw new StatusError(404, "NotFound", `there is no fault ${id} in VirtualService ${namespace}/${name}`);
    return [{ before, after: result.value as ConfigObject | undefined }];
  };
  return runEdit(context, request, build, { retry: true });
}
