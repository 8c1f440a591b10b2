"use client";
import type { Routing, ServiceListItem } from "../../../server/contract/index.ts";
import { type ConfigDocument, ConfigDocuments } from "../../config/config-queries.ts";
import { getJson } from "../../lib/api.ts";
import { type Live, useLive } from "../../lib/live.ts";

const ruling = ["VirtualService", "DestinationRule", "RateLimit"] as const;

const useKind = (kind: string): Live<ConfigDocuments> =>
  useLive({
    queryKey: ["objects", kind],
    read: (signal) => getJson(ConfigDocuments, `/api/objects?kind=${kind}`, signal),
    everyMs: 3000,
  });

/** What rules a service, as it is stored: what is in force for it, inside of the mesh and at gateways, and its limits. */
export function useServiceObjects(
  service: { namespace: string; name: string },
  routing: Routing,
  item: ServiceListItem | undefined,
): { documents: ConfigDocument[]; gateways: string[]; isLoading: boolean; live: Live<ConfigDocuments> } {
  const [virtualServices, destinationRules, rateLimits] = [useKind(ruling[0]), useKind(ruling[1]), useKind(ruling[2])];
  const gateways = useKind("Gateway");
  const named = (...objects: ({ namespace: string; name: string } | null)[]) =>
    objects.flatMap((one) => (one ? [`${one.namespace}/${one.name}`] : []));
  const wanted = {
    VirtualService: new Set([...named(routing.virtualService, ...routing.entrances), ...(item?.virtualServices ?? [])]),
    DestinationRule: new Set([...named(routing.destinationRule), ...(item?.destinationRules ?? [])]),
  };
  const path = ({ namespace, name }: ConfigDocument) => `${namespace}/${name}`;
  const isInside = (one: ConfigDocument) => named(routing.virtualService).includes(path(one));
  const documents = [
    ...(virtualServices.data?.objects ?? [])
      .filter((one) => wanted.VirtualService.has(path(one)))
      // The mesh's own goes before gateways'.
      .toSorted((a, b) => Number(isInside(b)) - Number(isInside(a))),
    ...(destinationRules.data?.objects ?? []).filter((one) => wanted.DestinationRule.has(path(one))),
    ...(rateLimits.data?.objects ?? []).filter(
      (one) => one.namespace === service.namespace && limits(one, service, routing),
    ),
  ];
  return {
    documents,
    gateways: (gateways.data?.objects ?? []).map(path),
    isLoading: !virtualServices.data || !destinationRules.data,
    live: virtualServices,
  };
}

/** By its host, which may be a short name of the namespace. */
function limits({ yaml }: ConfigDocument, service: { name: string }, { hostname }: Routing): boolean {
  const host = /^ {2}host: "?([^"\n]+)"?$/m.exec(yaml)?.[1] ?? "";
  return host === hostname || host === service.name || hostname.startsWith(`${host}.`);
}
