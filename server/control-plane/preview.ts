import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { stringify } from "yaml";
import type { EnvoyChange, EnvoyPreview, XdsTypeName } from "../contract/index.ts";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { MeshProxy } from "../model/proxy.ts";
import type { ProxyResources } from "../translate/resources.ts";
import { anyToJson } from "../xds/any-json.ts";
import { resourceKinds } from "../xds/resource-kinds.ts";
import type { Foreteller } from "./foretell.ts";

/** What keeps an answer readable, and a preview from holding up pushes. */
export interface PreviewLimits {
  /** Kinds of proxy that are translated for; proxies of one workload count once. */
  proxyKinds: number;
  resources: number;
  /** Of one resource's YAML. */
  characters: number;
  /** Translating for longer than this at a stretch would keep sockets waiting. */
  sliceMs: number;
  /** Whoever writes waits for the answer: kinds that are not reached by then count as not looked at. */
  budgetMs: number;
}

const defaultLimits: PreviewLimits = { proxyKinds: 500, resources: 20, characters: 60_000, sliceMs: 8, budgetMs: 2500 };

export interface PreviewOptions {
  /** Hears of each kind of proxy what it would get, to say what would be refused. */
  foreteller?: Pick<Foreteller, "look"> | undefined;
  /** False: resources are not shown, which is most of the work. */
  shown?: boolean;
  limits?: PreviewLimits;
}

/** What changes that are not made yet would mean for the connected proxies, resource by resource. */
export async function previewChange(
  translate: (proxy: MeshProxy) => { before: ProxyResources; after: ProxyResources },
  proxies: readonly MeshProxy[],
  { foreteller, shown = true, limits = defaultLimits }: PreviewOptions = {},
): Promise<EnvoyPreview> {
  const kinds = [...Map.groupBy(proxies, kindOf).values()];
  const seen = kinds.slice(0, limits.proxyKinds);
  const changes = new Map<string, EnvoyChange>();
  const affected = new Set<string>();
  const started = performance.now();
  let sliceStart = started;
  let unseen = kinds.slice(limits.proxyKinds).reduce((sum, members) => sum + members.length, 0);
  for (const members of seen) {
    const [proxy] = members;
    if (!proxy) continue;
    if (performance.now() - started > limits.budgetMs) {
      unseen += members.length;
      continue;
    }
    if (performance.now() - sliceStart > limits.sliceMs) {
      await new Promise((resolve) => setImmediate(resolve));
      sliceStart = performance.now();
    }
    const names = members.map(({ name }) => name);
    const { before, after } = translate(proxy);
    await foreteller?.look(proxy, names, { before, after });
    if (!shown) continue;
    for (const change of differences(before, after, limits.characters)) {
      const key = JSON.stringify([change.type, change.name, change.before, change.after]);
      const known = changes.get(key) ?? { ...change, proxies: [] };
      changes.set(key, known);
      known.proxies.push(...names);
      for (const name of names) affected.add(name);
    }
  }
  const all = [...changes.values()].map((change) => ({ ...change, proxies: change.proxies.sort() }));
  return {
    resources: all.slice(0, limits.resources),
    more: Math.max(0, all.length - limits.resources),
    proxies: [...affected].sort(),
    unseen,
  };
}

/** Proxies of one workload hold the same but for their own address, which no change of config touches. */
const kindOf = ({ id: _, ip: __, name: ___, ...rest }: MeshProxy): string => JSON.stringify(rest);

type Difference = Omit<EnvoyChange, "proxies">;

/** In the order in which an engineer asks: routes first, then clusters, then the rest. */
function* differences(before: ProxyResources, after: ProxyResources, characters: number): Generator<Difference> {
  const { virtualHost, cluster, endpoint, listener, runtime } = resourceKinds;
  yield* compare("VHDS", virtualHost.schema, before.virtualHosts, after.virtualHosts, characters);
  yield* routeDifferences(before.routes, after.routes, characters);
  yield* compare("CDS", cluster.schema, before.clusters, after.clusters, characters);
  yield* compare("EDS", endpoint.schema, before.endpoints, after.endpoints, characters);
  yield* compare("LDS", listener.schema, before.listeners, after.listeners, characters);
  yield* compare("RTDS", runtime.schema, before.runtimes, after.runtimes, characters);
}

/** A whole route configuration holds every service: only its virtual hosts that differ are worth reading. */
function* routeDifferences(
  before: ReadonlyMap<string, RouteConfiguration>,
  after: ReadonlyMap<string, RouteConfiguration>,
  characters: number,
): Generator<Difference> {
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, next] = [before.get(name), after.get(name)];
    if (old === next) continue;
    const hosts = (configuration: RouteConfiguration | undefined): ReadonlyMap<string, VirtualHost> =>
      new Map(configuration?.virtualHosts.map((host) => [`${name}/${host.name}`, host]));
    yield* compare("RDS", resourceKinds.virtualHost.schema, hosts(old), hosts(next), characters);
  }
}

function* compare<Desc extends DescMessage>(
  type: XdsTypeName,
  schema: Desc,
  before: ReadonlyMap<string, MessageShape<Desc>>,
  after: ReadonlyMap<string, MessageShape<Desc>>,
  characters: number,
): Generator<Difference> {
  if (before === after) return;
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, next] = [before.get(name), after.get(name)];
    if (old === next) continue;
    const texts = { before: yamlOf(schema, old), after: yamlOf(schema, next) };
    // Made anew from other objects, and yet the same: it would not be sent.
    if (texts.before === texts.after) continue;
    yield { type, name, before: cut(texts.before, characters), after: cut(texts.after, characters) };
  }
}

function yamlOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc> | undefined): string {
  if (message === undefined) return "";
  // As CSDS shows it: what has no JSON is shown as its bytes, and keeps nothing else from being shown.
  const { "@type": _, ...shown } = anyToJson(anyPack(schema, message)) as JsonObject;
  return stringify(shown, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** At a line's end, and said. */
function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const kept = text.slice(0, text.lastIndexOf("\n", characters) + 1);
  return `${kept}# … ${text.length - kept.length} characters more\n`;
}
