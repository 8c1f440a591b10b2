import { randomBytes } from "node:crypto";
import {
  type FaultEntrance,
  hasFault,
  hasOwnRule,
  injectFault,
  listFaults,
  removeFault,
  type VirtualService,
} from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { type FaultList, FaultRequest, type FaultSource, told } from "../../../contract/index.ts";
import type { FieldError } from "../../../lib/result.ts";
import { matchesLabels } from "../../../model/labels.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { saidError } from "../status-error.ts";
import type { Edit } from "./edit.ts";
import { runEdit } from "./edits.ts";
import { invalidFields, limpidActor, readBodyAs } from "./request.ts";
import { type ServiceConfig, serviceConfig } from "./service-config.ts";

export async function getFaults(context: ApiContext): Promise<ApiResponse> {
  const { items } = await context.store.list({ kind: "VirtualService" });
  const body: FaultList = {
    now: context.clock.now(),
    faults: listFaults(items as unknown as VirtualService[], await context.services()),
  };
  return { status: 200, body };
}

export async function postFault(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const fault = await readBodyAs(FaultRequest, request);
  const { author } = limpidActor(request);
  const id = randomBytes(5).toString("hex");
  const build = async (): Promise<Edit[]> => {
    const config = await serviceConfig(context, fault.namespace, fault.service);
    const origin = { id, now: context.clock.now(), author };
    const places = await placesOf(context, config, fault);
    const errors: FieldError[] = [];
    const edits: Edit[] = [];
    for (const { virtualService, entrance } of places) {
      const wanted = entrance ? { ...fault, source: null } : fault; // at a gateway the labels of callers don't count
      const result = injectFault(virtualService, config.ref, wanted, origin, entrance);
      if (result.ok)
        edits.push({ before: virtualService as ConfigObject | undefined, after: result.value as ConfigObject });
      else errors.push(...result.errors);
    }
    if (errors.length > 0) throw invalidFields(errors);
    return edits;
  };
  return runEdit(context, request, build, { retry: true });
}

/** Which VirtualServices a fault goes into: where the service is entered, or where its caller comes in. Throws 422 when that is nowhere. */
async function placesOf(
  context: ApiContext,
  { ref, virtualService, entrances }: ServiceConfig,
  { through, source }: FaultRequest,
): Promise<{ virtualService: VirtualService | undefined; entrance?: FaultEntrance }[]> {
  const caller = source ? await gatewaysOfCaller(context, source) : undefined;
  const wanted = through ?? caller;
  const inMesh = wanted === undefined || wanted.includes("mesh");
  const own = entrances.filter((one) => hasOwnRule(one, ref) && (source == null || caller !== undefined));
  const atGateways = own.flatMap(({ virtualService: entrance, gateways, through: everywhere }) => {
    const meant = wanted === undefined ? gateways : gateways.filter((name) => wanted.includes(name));
    if (meant.length === 0) return [];
    const isAll = meant.length === everywhere.length;
    return [{ virtualService: entrance, entrance: isAll ? {} : { gateways: meant } }];
  });
  if (!inMesh && atGateways.length === 0) {
    const known = [...new Set(["mesh", ...own.flatMap(({ gateways }) => gateways)])].join(", ");
    const path = through ? "through" : "source";
    throw invalidFields([{ path, ...told("fault-no-entrance", { name: ref.name, known }) }]);
  }
  return [...(inMesh ? [{ virtualService }] : []), ...atGateways];
}

/** The Gateways that a caller serves, when it is a gateway proxy. */
async function gatewaysOfCaller(context: ApiContext, { namespace, app }: FaultSource): Promise<string[] | undefined> {
  const proxies = (context.gatewayProxies() ?? []).filter(
    (proxy) => proxy.namespace === namespace && proxy.canonicalService === app,
  );
  if (proxies.length === 0) return undefined;
  const { gateways } = await context.mesh();
  return gateways
    .filter(({ selector }) => proxies.some(({ labels }) => matchesLabels(selector, labels)))
    .map(({ key }) => key);
}

/** Ends a fault, in every VirtualService that it was put into at once. */
export async function deleteFault(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", virtualService: name = "", id = "" } = request.params;
  const build = async () => {
    const before = await context.store.get({ kind: "VirtualService", namespace, name });
    if (before === undefined)
      throw saidError(404, "NotFound", told("no-object", { object: `VirtualService ${namespace}/${name}` }));
    const result = removeFault(before as unknown as VirtualService, id);
    if (!result.ok) throw saidError(404, "NotFound", told("no-fault", { id, object: `${namespace}/${name}` }));
    const edits: Edit[] = [{ before, after: result.value as ConfigObject | undefined }];
    const { items } = await context.store.list({ kind: "VirtualService" });
    for (const other of items) {
      if (other === before || !hasFault(other as unknown as VirtualService, id)) continue;
      const removed = removeFault(other as unknown as VirtualService, id);
      if (removed.ok) edits.push({ before: other, after: removed.value as ConfigObject | undefined });
    }
    return edits;
  };
  return runEdit(context, request, build, { retry: true });
}
