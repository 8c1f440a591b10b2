import type { ConfigObject } from "../config/object.ts";
import { mapSteps, withEntries } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { delegatedRule } from "./delegated-rules.ts";
import { resolveHost } from "./hostname.ts";
import type {
  Destination,
  HTTPMatchRequest,
  HTTPRoute,
  RouteDestination,
  TCPRoute,
  TLSRoute,
  VirtualServiceSpec,
} from "./specs.ts";
import { isVisible } from "./visibility.ts";

/** The gateway name that stands for every sidecar. */
export const meshGateway = "mesh";

/**
 * A VirtualService whose short names are resolved, hosts and destinations to FQDNs, gateways to `<namespace>/<name>`, and whose delegates' rules stand
 * where it hands over to them.
 */
export interface VirtualService {
  readonly name: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  readonly exportTo: readonly string[];
  readonly source: ConfigObject;
  readonly http: readonly HTTPRoute[];
  /** Where each of `http` is written; undefined: in `source`, in the same place. */
  readonly origins: readonly RuleOrigin[] | undefined;
  /** Who takes over from each of its rules that delegates; undefined: nobody, and the rule is left out. */
  readonly delegates: readonly (ConfigObject | undefined)[];
  /** For ports that are neither HTTP nor TLS. */
  readonly tcp: readonly TCPRoute[];
  /** For HTTPS and TLS ports: passed through by server name. */
  readonly tls: readonly TLSRoute[];
}

/** Where a rule of requests is written. */
export interface RuleOrigin {
  readonly source: ConfigObject;
  /** Index into the `spec.http` of that. */
  readonly index: number;
  /** Of a delegate's: index of the rule by which the VirtualService hands over to it. */
  readonly root?: number;
  /** Of a delegate's, for each match that is in force, which of the delegate's own it came of; undefined: the root's alone. */
  readonly matches?: readonly (number | undefined)[];
}

export const originOf = ({ origins, source }: VirtualService, index: number): RuleOrigin =>
  origins?.[index] ?? { source, index };

/** The objects whose rules of requests it has, with itself. */
export const writtenIn = ({ source, delegates }: VirtualService): ReadonlySet<ConfigObject> =>
  new Set([source, ...delegates.flatMap((delegate) => delegate ?? [])]);

type Objects = ReadonlyMap<string, ConfigObject>;

interface Merged {
  readonly rules: ReadonlyMap<string, VirtualService>;
  /** By the key of a delegate, the keys of those that name it. */
  readonly roots: ReadonlyMap<string, readonly string[]>;
}

/**
 * By key, each that has hosts, with the rules of its delegates; of objects that came of others only those are made that changed, or whose delegate did.
 * An object without hosts is a delegate and nothing by itself.
 */
export const virtualServicesAmong = (objects: Objects, domain: string): ReadonlyMap<string, VirtualService> =>
  mapSteps.memo<Merged>(
    objects,
    "virtual-services",
    [domain],
    () => ({
      rules: new Map(
        Array.from(objects, ([key, object]) => [key, object] as const)
          .filter(([, object]) => !isDelegate(object))
          .map(([key, object]) => [key, mergedVirtualService(object, objects, domain)] as const),
      ),
      roots: rootsAmong(objects),
    }),
    (before, { from, change }) => {
      const old = from as Objects;
      const touched = new Set([...change].flatMap((key) => [key, ...(before.roots.get(key) ?? [])]));
      const entries = Array.from(touched, (key) => {
        const object = objects.get(key);
        const isRoot = object !== undefined && !isDelegate(object);
        return [
          key,
          isRoot ? mergedVirtualService(object, objects, domain, before.rules.get(key)) : undefined,
        ] as const;
      });
      const namesOthers = [...change].some(
        (key) => delegateKeys(old.get(key)).join() !== delegateKeys(objects.get(key)).join(),
      );
      return {
        rules: withEntries(before.rules, entries),
        roots: namesOthers ? rootsAmong(objects) : before.roots,
      };
    },
  ).rules;

/** Those that hand over to the delegate of a key, whether anything comes of it or not. */
export const rootsOf = (objects: Objects, key: string): ConfigObject[] =>
  (memo(objects, "roots", [], () => rootsAmong(objects)).get(key) ?? []).flatMap((root) => objects.get(root) ?? []);

export const isDelegate = ({ spec }: ConfigObject): boolean =>
  ((spec as unknown as VirtualServiceSpec).hosts ?? []).length === 0;

function rootsAmong(objects: Objects): ReadonlyMap<string, readonly string[]> {
  const roots = new Map<string, string[]>();
  for (const [key, object] of objects) for (const delegate of new Set(delegateKeys(object))) add(roots, delegate, key);
  return roots;
}

/** The delegates that a VirtualService hands over to, by key, one for each rule. */
export const delegateKeys = (object: ConfigObject | undefined): readonly string[] => {
  if (object === undefined || isDelegate(object)) return none;
  const { http = [] } = object.spec as unknown as VirtualServiceSpec;
  return http.flatMap(({ delegate }) => (delegate ? [delegateKey(delegate, object.metadata.namespace)] : []));
};

const none: readonly string[] = [];

/** Of the root's own namespace, unless it says another. */
export const delegateKey = ({ name, namespace }: NonNullable<HTTPRoute["delegate"]>, rootNamespace: string): string =>
  `${namespace || rootNamespace}/${name}`;

/** What keeps an object from being a delegate of those of a namespace; undefined: nothing. */
export function notDelegable(
  object: ConfigObject | undefined,
  rootNamespace: string,
): "missing" | "hosts" | "unexported" | undefined {
  if (object === undefined) return "missing";
  if (!isDelegate(object)) return "hosts";
  const { exportTo = [] } = object.spec as unknown as VirtualServiceSpec;
  return isVisible(exportTo, object.metadata.namespace, rootNamespace) ? undefined : "unexported";
}

/** As the index has it, and `before` where it would be the same. Of a rule whose delegate isn't there, or not for it, nothing is left. */
function mergedVirtualService(
  object: ConfigObject,
  objects: Objects,
  domain: string,
  before?: VirtualService,
): VirtualService {
  const root = resolvedVirtualService(object, domain);
  const { namespace } = object.metadata;
  const keys = delegateKeys(object);
  if (keys.length === 0) return root;
  const delegates = keys.map((key) => {
    const delegate = objects.get(key);
    return notDelegable(delegate, namespace) === undefined ? delegate : undefined;
  });
  if (before?.source === object && before.delegates.every((one, place) => one === delegates[place])) return before;
  return memo(object, "merged", [domain, ...delegates], () => {
    let place = 0;
    const rules = root.http.flatMap((rule, index): { rule: HTTPRoute; origin: RuleOrigin }[] => {
      if (rule.delegate === undefined) return [{ rule, origin: { source: object, index } }];
      const delegate = delegates[place++];
      return delegate ? delegatedRules(rule, index, resolvedVirtualService(delegate, domain)) : [];
    });
    return { ...root, http: rules.map(({ rule }) => rule), origins: rules.map(({ origin }) => origin), delegates };
  });
}

const delegatedRules = (root: HTTPRoute, place: number, { source, http }: VirtualService) =>
  http.flatMap((own, index) => {
    const found = delegatedRule(root, own);
    if (found === undefined) return [];
    const matches = found.matches.map((it) => it.place);
    return [{ rule: found.rule, origin: { source, index, root: place, matches } }];
  });

/** By itself: without what its delegates add. */
export function resolvedVirtualService(object: ConfigObject, domain: string): VirtualService {
  return memo(object, "virtual-service", [domain], () => {
    const spec = object.spec as unknown as VirtualServiceSpec;
    const { name, namespace } = object.metadata;
    const host = (it: string) => resolveHost(it, namespace, domain);
    return {
      name,
      namespace,
      hosts: (spec.hosts ?? []).map(host),
      gateways: spec.gateways?.length ? spec.gateways.map((it) => gatewayName(it, namespace)) : [meshGateway],
      exportTo: spec.exportTo ?? [],
      source: object,
      origins: undefined,
      delegates: [],
      http: (spec.http ?? []).map((http) => resolveRoute(http, namespace, host)),
      tcp: (spec.tcp ?? []).map((tcp) => resolveL4(tcp, namespace, host)),
      tls: (spec.tls ?? []).map((tls) => resolveL4(tls, namespace, host)),
    };
  });
}

function resolveRoute(http: HTTPRoute, namespace: string, host: (it: string) => string): HTTPRoute {
  const destination = (it: Destination): Destination => ({ ...it, host: host(it.host) });
  const match = (it: HTTPMatchRequest): HTTPMatchRequest =>
    it.gateways ? { ...it, gateways: it.gateways.map((name) => gatewayName(name, namespace)) } : it;
  return {
    ...http,
    ...(http.match && { match: http.match.map(match) }),
    ...(http.route && { route: http.route.map((it) => ({ ...it, destination: destination(it.destination) })) }),
    ...(http.mirror && { mirror: destination(http.mirror) }),
    ...(http.mirrors && { mirrors: http.mirrors.map((it) => ({ ...it, destination: destination(it.destination) })) }),
  };
}

function resolveL4<R extends TCPRoute | TLSRoute>(rule: R, namespace: string, host: (it: string) => string): R {
  const match = rule.match?.map((it) =>
    it.gateways ? { ...it, gateways: it.gateways.map((name) => gatewayName(name, namespace)) } : it,
  );
  const route = rule.route.map(
    (it): RouteDestination => ({ ...it, destination: { ...it.destination, host: host(it.destination.host) } }),
  );
  return { ...rule, ...(match && { match }), route };
}

/**
 * As `<namespace>/<name>`: `name` and `./name` are of the own namespace; `name.namespace`, with or without more after it, is the old way
 * to name another (Istio's `resolveGatewayName`).
 */
export function gatewayName(name: string, namespace: string): string {
  if (name === meshGateway) return name;
  if (name.includes("/")) return name.startsWith("./") ? `${namespace}${name.slice(1)}` : name;
  const [short, other = namespace] = name.split(".");
  return `${other}/${short}`;
}

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
