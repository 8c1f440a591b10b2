import { routingOf, setWeights, versionSubsets } from "../../../config/edits/index.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "../../../config/object.ts";
import { WeightsChange } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { StatusError } from "../status-error.ts";
import { type Edit, runEdit } from "./edits.ts";
import { invalidFields, readBodyAs } from "./request.ts";
import { type ServiceConfig, serviceConfig, versionsOf } from "./service-config.ts";

export async function getRouting(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", name = "" } = request.params;
  const config = await serviceConfig(context, namespace, name);
  const body = routingOf({
    hostname: config.service.hostname,
    virtualService: config.virtualService,
    destinationRule: config.destinationRule,
    versions: versionsOf(config.service),
    proxies: context.pushes.affected([concernedKey(config)]),
  });
  return { status: 200, body };
}

/** What a change of this service's routes would be about, also before there is a VirtualService. */
const concernedKey = ({ virtualService, ref }: ServiceConfig): ResourceKey =>
  virtualService
    ? keyOf(virtualService as ConfigObject)
    : { kind: "VirtualService", namespace: ref.namespace, name: ref.name };

/** VirtualService and, where a subset is missing, DestinationRule as one commit. */
export async function putWeights(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", name = "" } = request.params;
  const change = readBodyAs(WeightsChange, request);
  const build = async (): Promise<Edit[]> => {
    const { service, ref, virtualService, destinationRule } = await serviceConfig(context, namespace, name);
    const current = virtualService?.metadata.resourceVersion ?? null;
    if (current !== change.resourceVersion) throw outdated(virtualService as ConfigObject | undefined, change);
    const versions = versionSubsets(versionsOf(service), destinationRule?.spec.subsets ?? []);
    const edit = { service: ref, rule: change.rule, weights: change.weights, versions };
    const result = setWeights(virtualService, destinationRule, edit);
    if (!result.ok) throw invalidFields(result.errors);
    return result.value.map((after) => ({
      before: (after.kind === "VirtualService" ? virtualService : destinationRule) as ConfigObject | undefined,
      after,
    }));
  };
  return runEdit(context, request, build, { retry: false });
}

function outdated(current: ConfigObject | undefined, { resourceVersion }: WeightsChange): StatusError {
  if (current === undefined) {
    return new StatusError(409, "Conflict", `the VirtualService of version ${resourceVersion} is gone: load it again`);
  }
  const { metadata } = current;
  const base = resourceVersion === null ? "when there was none" : `against version ${resourceVersion}`;
  return new StatusError(
    409,
    "Conflict",
    `${formatKey(keyOf(current))} has changed: it is at version ${metadata.resourceVersion}, the change was made ${base}`,
  );
}
