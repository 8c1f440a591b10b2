import type { ConfigApiClient } from "../config/api-client.ts";
import { isHostOf } from "../config/edits/service-host.ts";
import { gateway } from "../config/kinds/gateway.ts";
import { type RateLimitSpec, rateLimit } from "../config/kinds/rate-limit.ts";
import { type ConfigDocument, documentsOf } from "../config/mesh-config.ts";
import type { ConfigObject } from "../config/object.ts";
import { findService, type MeshService } from "../contract/index.ts";

/** What rules a service's traffic, as it is stored. */
export interface ServiceObjects {
  /** What is in force for it, inside of the mesh and at gateways, and its limits; of each kind, the mesh's own goes before gateways'. */
  objects: ConfigDocument[];
  /** All that there are, as `<namespace>/<name>`: rules may be put behind any of them. */
  gateways: string[];
}

/** Only what is its own: a mesh has thousands of objects, and this is read again and again while somebody edits. */
export function createServiceObjects(
  api: Pick<ConfigApiClient, "objects" | "routing">,
  services: () => Promise<readonly MeshService[]>,
) {
  return async (service: { namespace: string; name: string }): Promise<ServiceObjects> => {
    const [routing, known, limits, gateways] = await Promise.all([
      api.routing(service),
      services(),
      api.objects(rateLimit),
      api.objects(gateway),
    ]);
    const found = findService(known, service.namespace, service.name);
    const { hostname } = routing;
    const named = { namespace: service.namespace, name: found?.name ?? service.name, hostname };
    const of = (kind: string) => (path: string) => {
      const [namespace = "", name = ""] = path.split("/");
      return { kind, namespace, name };
    };
    const isLimit = ({ metadata, spec }: ConfigObject) =>
      metadata.namespace === named.namespace && isHostOf((spec as RateLimitSpec).host, named.namespace, named);
    const keys = [
      ...nameOf(routing.virtualService).map(of("VirtualService")),
      ...routing.entrances.flatMap(nameOf).map(of("VirtualService")),
      ...(found?.virtualServices ?? []).map(of("VirtualService")),
      ...nameOf(routing.destinationRule).map(of("DestinationRule")),
      ...(found?.destinationRules ?? []).map(of("DestinationRule")),
      ...limits
        .filter(isLimit)
        .map(({ metadata: { name } }) => ({ kind: rateLimit.kind, namespace: named.namespace, name })),
    ];
    const wanted = [...new Map(keys.map((key) => [Object.values(key).join("/"), key])).values()];
    const documents = await documentsOf(api, wanted);
    return {
      objects: wanted.flatMap((key) => documents.filter((one) => isOf(one, key))),
      gateways: gateways.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    };
  };
}

const nameOf = (object: { namespace: string; name: string } | null): string[] =>
  object ? [`${object.namespace}/${object.name}`] : [];

const isOf = (one: ConfigDocument, key: { kind: string; namespace: string; name: string }): boolean =>
  one.kind === key.kind && one.namespace === key.namespace && one.name === key.name;
