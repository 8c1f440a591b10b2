import {
  type DestinationRule,
  routingOf,
  setWeights,
  type VirtualService,
  versionSubsets,
} from "../../../config/edits/index.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "../../../config/object.ts";
import { told, WeightsChange } from "../../../contract/index.ts";
import type { FieldError } from "../../../lib/result.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { type StatusError, saidError } from "../status-error.ts";
import type { Edit } from "./edit.ts";
import { runEdit } from "./edits.ts";
import { invalidFields, readBodyAs } from "./request.ts";
import { type ServiceConfig, serviceConfig, versionsOf } from "./service-config.ts";

export async function getRouting(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", name = "" } = request.params;
  const config = await serviceConfig(context, namespace, name);
  const body = routingOf({
    service: config.ref,
    virtualService: config.virtualService,
    destinationRule: config.destinationRule,
    versions: versionsOf(config.service),
    entrances: config.entrances,
    delegates: config.delegates,
    proxies: context.pushes.affected([concernedKey(config)]),
  });
  return { status: 200, body };
}

/** What a change of this service's routes would be about, also before there is a VirtualService. */
const concernedKey = ({ virtualService, ref }: ServiceConfig): ResourceKey =>
  virtualService
    ? keyOf(virtualService as ConfigObject)
    : { kind: "VirtualService", namespace: ref.namespace, name: ref.name };

/** The VirtualServices, and where a subset is missing the DestinationRule, as one commit. */
export async function putWeights(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", name = "" } = request.params;
  const change = await readBodyAs(WeightsChange, request);
  const build = async () => shareAll(await serviceConfig(context, namespace, name), change);
  return runEdit(context, request, build, { retry: false });
}

type Target = NonNullable<WeightsChange["also"]>[number];

/** Every rule that is asked for, shared alike: the mesh's or an entrance's first, then the others. */
function shareAll(config: ServiceConfig, change: WeightsChange): Edit[] {
  const versions = versionSubsets(versionsOf(config.service), config.destinationRule?.spec.subsets ?? []);
  const edits = new Map<string, Edit>();
  const now = (object: ConfigObject | undefined) => object && (edits.get(formatKey(keyOf(object)))?.after ?? object);
  const errors: FieldError[] = [];
  const { rule, virtualService, resourceVersion } = change;
  for (const [index, target] of [{ rule, virtualService, resourceVersion }, ...(change.also ?? [])].entries()) {
    const stored = target.virtualService ? entrance(config, target.virtualService) : config.virtualService;
    const current = stored?.metadata.resourceVersion ?? null;
    if (current !== target.resourceVersion) throw outdated(stored as ConfigObject | undefined, target.resourceVersion);
    const { ref: service, inheritedPolicy } = config;
    const edit = { service, rule: target.rule, weights: change.weights, versions, inheritedPolicy };
    const rules = (now(config.destinationRule as ConfigObject | undefined) ??
      [...edits.values()].find(({ after }) => after?.kind === "DestinationRule")?.after) as DestinationRule | undefined;
    const result = setWeights(now(stored as ConfigObject | undefined) as VirtualService | undefined, rules, edit);
    if (!result.ok) {
      const prefix = index === 0 ? "" : `also[${index - 1}].`;
      errors.push(...result.errors.map((error) => ({ ...error, path: `${prefix}${error.path}` })));
      continue;
    }
    for (const after of result.value) {
      const before = (after.kind === "VirtualService" ? stored : config.destinationRule) as ConfigObject | undefined;
      edits.set(formatKey(keyOf(after)), { before, after });
    }
  }
  if (errors.length > 0) throw invalidFields(errors);
  return [...edits.values()];
}

/** The VirtualService that a change names: one that rules the service inside of the mesh, by itself or as its delegate, or sends to it at a gateway. */
function entrance(config: ServiceConfig, { namespace, name }: Target["virtualService"]): VirtualService {
  const others = [...config.entrances, ...config.delegates];
  const all = [config.virtualService, ...others.map((one) => one.virtualService)];
  const found = all.find((one) => one?.metadata.namespace === namespace && one.metadata.name === name);
  if (found !== undefined) return found;
  const { ref } = config;
  const nothing = { object: `${namespace}/${name}`, name: ref.name, namespace: ref.namespace };
  throw invalidFields([{ path: "virtualService", ...told("rule-foreign", nothing) }]);
}

function outdated(current: ConfigObject | undefined, base: string | null): StatusError {
  if (current === undefined) {
    return saidError(409, "Conflict", told("object-gone", { kind: "VirtualService", version: base ?? "" }));
  }
  const at = { object: formatKey(keyOf(current)), version: current.metadata.resourceVersion ?? "" };
  return saidError(409, "Conflict", base === null ? told("object-made", at) : told("object-changed", { ...at, base }));
}
