import { mapSteps } from "../lib/lineage.ts";
import { encodeAll } from "./encode.ts";
import { addOrder, allKinds, type KindMessage, type KindName, resourceKinds } from "./resource-kinds.ts";
import { type Resource, type ResourceMap, type Snapshot, TypeUrl } from "./types.ts";

type Messages<K extends KindName> = ReadonlyMap<string, KindMessage<K>>;

/** The messages one proxy is to hold, by resource name. Treated as frozen: what changes is a new object. */
export interface SnapshotMessages {
  listeners: Messages<"listener">;
  routes: Messages<"route">;
  /** Named `<route configuration>/<virtual host>`. */
  virtualHosts: Messages<"virtualHost">;
  clusters: Messages<"cluster">;
  endpoints: Messages<"endpoint">;
  extensionConfigs?: Messages<"extensionConfig">;
  runtimes?: Messages<"runtime">;
  /** How long a proxy that can tell the time keeps some of the layers without hearing of them, in milliseconds. */
  runtimeTtls?: ReadonlyMap<string, number>;
}

export type SecretMessages = Messages<"secret">;

/** Under which of the message maps each kind stands; secrets are the client's own and come beside. */
const mapNames: Record<Exclude<KindName, "secret">, Exclude<keyof SnapshotMessages, "runtimeTtls">> = {
  runtime: "runtimes",
  cluster: "clusters",
  endpoint: "endpoints",
  extensionConfig: "extensionConfigs",
  listener: "listeners",
  route: "routes",
  virtualHost: "virtualHosts",
};

const none: ReadonlyMap<string, never> = new Map<string, never>();

/** `secrets` are the client's own, its private key among them: for a client that has shown who it is. */
export function createSnapshot(revision: number, messages: SnapshotMessages, secrets: SecretMessages = none): Snapshot {
  const maps = new Map<string, ReadonlyMap<string, object>>([[TypeUrl.secret, secrets]]);
  for (const [name, map] of Object.entries(mapNames)) {
    maps.set(resourceKinds[name as keyof typeof mapNames].typeUrl, messages[map] ?? none);
  }
  const resources = allKinds.map((kind): [string, ResourceMap] => [
    kind.typeUrl,
    encodeAll(
      kind,
      (maps.get(kind.typeUrl) ?? none) as Parameters<typeof encodeAll>[1],
      kind.typeUrl === TypeUrl.runtime ? messages.runtimeTtls : undefined,
    ),
  ]);
  return { revision, resources: new Map(resources) };
}

/** The same revision with other secrets: what else the client holds is not touched. */
export function withSecrets(snapshot: Snapshot, secrets: SecretMessages): Snapshot {
  const resources = new Map(snapshot.resources).set(TypeUrl.secret, encodeAll(resourceKinds.secret, secrets));
  return { revision: snapshot.revision, resources };
}

/**
 * What the snapshot names but does not hold: a proxy would wait for it, up to its initial_fetch_timeout.
 * In words, empty when consistent; at most ten. Each map is checked once against what it was checked against before.
 */
export function findInconsistencies(snapshot: Snapshot): string[] {
  const problems: string[] = [];
  for (const [typeUrl, resources] of snapshot.resources) {
    const others = addOrder.map((other) => snapshot.resources.get(other));
    const before = checked.get(resources);
    if (
      before &&
      refsOf(resources).every((other) => before[addOrder.indexOf(other)] === snapshot.resources.get(other))
    ) {
      continue;
    }
    const found = problemsOf(typeUrl, looseEnds(resources, others), snapshot);
    if (found.length === 0) checked.set(resources, others);
    problems.push(...found);
  }
  return problems.slice(0, 10);
}

/** Maps found to be consistent, with the maps they were held against, in `addOrder`. */
const checked = new WeakMap<ResourceMap, readonly (ResourceMap | undefined)[]>();

/** Those that are to be looked at: of a map that came of one which was consistent with the same others, what changed. */
function looseEnds(resources: ResourceMap, others: readonly (ResourceMap | undefined)[]): Iterable<Resource> {
  const step = mapSteps.cameOf(resources);
  const before = step && checked.get(step.from as ResourceMap);
  if (!step || !before || others.some((map, i) => map !== before[i] && map !== resources)) return resources.values();
  return Array.from(step.change).flatMap((name) => resources.get(name) ?? []);
}

/** The types that a map's resources name; of a map that came of another, perhaps one that is named no more. */
const refsOf = (resources: ResourceMap): readonly TypeUrl[] =>
  mapSteps.memo<readonly TypeUrl[]>(
    resources,
    "refs",
    [],
    () => typesIn(resources.values()),
    (before, { change }) => {
      const more = typesIn(Array.from(change).flatMap((name) => resources.get(name) ?? []));
      return more.every((type) => before.includes(type)) ? before : [...new Set([...before, ...more])];
    },
  );

function typesIn(resources: Iterable<Resource>): TypeUrl[] {
  const types = new Set<TypeUrl>();
  for (const { requires } of resources) for (const { typeUrl } of requires ?? []) types.add(typeUrl);
  types.delete(TypeUrl.virtualHost); // a route configuration may be empty
  return [...types];
}

function problemsOf(typeUrl: string, resources: Iterable<Resource>, snapshot: Snapshot): string[] {
  const problems: string[] = [];
  for (const resource of resources) {
    for (const ref of resource.requires ?? []) {
      if (ref.typeUrl === TypeUrl.virtualHost || snapshot.resources.get(ref.typeUrl)?.has(ref.name)) continue;
      problems.push(`${shortName(typeUrl)} ${resource.name} needs ${shortName(ref.typeUrl)} ${ref.name}`);
      if (problems.length === 10) return problems;
    }
  }
  return problems;
}

const shortName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
