import { DashboardError } from "../contract/errors.ts";
import type { Badge } from "../contract/graph.ts";
import type { MeshService } from "../contract/services.ts";
import { writeYaml } from "../lib/yaml/write-yaml.ts";
import type { ConfigApiClient } from "./api-client.ts";
import { badgesOf } from "./badges.ts";
import { destinationRule } from "./kinds/destination-rule.ts";
import { kinds } from "./kinds/index.ts";
import { virtualService } from "./kinds/virtual-service.ts";
import type { ConfigObject } from "./object.ts";

/** One stored object as the dashboard's config pages show it. */
export interface ConfigDocument {
  kind: string;
  namespace: string;
  name: string;
  resourceVersion: string;
  yaml: string;
}

/** All that a mesh is made of. */
export async function allObjects(client: ConfigApiClient): Promise<ConfigObject[]> {
  const lists = await Promise.all(
    kinds.map(async (each) =>
      (await client.objects(each)).map((item) => ({
        ...item,
        kind: each.kind,
        apiVersion: item.apiVersion ?? each.version,
        metadata: { ...item.metadata, namespace: item.metadata.namespace ?? "" },
      })),
    ),
  );
  return lists.flat();
}

/** Objects of one kind, or of all, as YAML without the parts that only programs read. */
export async function listDocuments(client: ConfigApiClient, kind?: string): Promise<ConfigDocument[]> {
  const wanted = kinds.filter((each) => kind === undefined || each.kind === kind);
  const lists = await Promise.all(
    wanted.map(async (each) => {
      const items = await client.objects(each);
      return items.map((item) => toDocument({ ...item, kind: each.kind, apiVersion: item.apiVersion ?? each.version }));
    }),
  );
  return lists.flat();
}

/** Those of the objects named that there are, each kind asked for once. */
export async function documentsOf(
  client: Pick<ConfigApiClient, "objects">,
  keys: readonly { kind: string; namespace: string; name: string }[],
): Promise<ConfigDocument[]> {
  const wanted = new Set(keys.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  const asked = kinds.filter((each) => keys.some(({ kind }) => kind === each.kind));
  const lists = await Promise.all(
    asked.map(async (each) =>
      (await client.objects(each))
        .filter(({ metadata }) => wanted.has(`${each.kind} ${metadata.namespace ?? ""}/${metadata.name}`))
        .map((item) => toDocument({ ...item, kind: each.kind, apiVersion: item.apiVersion ?? each.version })),
    ),
  );
  return lists.flat();
}

function toDocument(object: ConfigObject): ConfigDocument {
  const { managedFields: _, ...metadata } = object.metadata;
  // As it came: of some kinds without a `spec`.
  const { apiVersion: _a, kind: _k, metadata: _m, status: _s, ...body } = object;
  return {
    kind: object.kind,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    resourceVersion: metadata.resourceVersion ?? "",
    yaml: writeYaml({ apiVersion: object.apiVersion, kind: object.kind, metadata, ...body }),
  };
}

/** Each service with the marks of the config that acts on it. */
export async function servicesWithBadges(client: ConfigApiClient): Promise<(MeshService & { badges: Badge[] })[]> {
  const [services, virtualServices, destinationRules] = await Promise.all([
    client.services(),
    client.objects(virtualService),
    client.objects(destinationRule),
  ]);
  const byName = (objects: ConfigObject[]) =>
    new Map(objects.map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]));
  const [routes, rules] = [byName(virtualServices), byName(destinationRules)];
  return services.map((service) => ({ ...service, badges: badgesOf(service, routes, rules) }));
}

/** One object. Rejects with NOT_FOUND. */
export async function findDocument(
  client: ConfigApiClient,
  key: { kind: string; namespace: string; name: string },
): Promise<ConfigDocument> {
  const documents = await listDocuments(client, key.kind);
  const found = documents.find((each) => each.namespace === key.namespace && each.name === key.name);
  if (found) return found;
  throw new DashboardError({ code: "NOT_FOUND", message: `no ${key.kind} ${key.namespace}/${key.name}` });
}
