import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { intersect } from "./hostname.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { type Protocol, parseProtocol } from "./protocol.ts";
import { type ServiceRegistry, type VisibleServices, visibleServices } from "./registry.ts";
import { olderFirst, type Service } from "./service.ts";
import type { SidecarSpec } from "./specs.ts";
import { meshGateway, type VirtualService } from "./virtual-service.ts";
import { restrict, type VirtualServiceIndex, virtualServicesAt } from "./virtual-services.ts";

/** What a Sidecar resource says of the workloads that it is for. */
export interface Sidecar {
  /** `<namespace>/<name>`. */
  readonly key: string;
  /** Undefined: the whole namespace. */
  readonly selector: Labels | undefined;
  /** What may be called; undefined: everything that is visible. Namespaces are a name, `.` (the client's), `*` (any) or `~` (none). */
  readonly egress: readonly { readonly namespace: string; readonly host: string }[] | undefined;
  /** Undefined: as the proxy was told. */
  readonly ingress: readonly SidecarIngress[] | undefined;
  /** Hosts of no service are called, too. */
  readonly allowsAny: boolean;
}

export interface SidecarIngress {
  readonly port: number;
  readonly protocol: Protocol;
  /** Undefined: as the proxy was told. */
  readonly endpoint: { readonly address: string; readonly port: number } | undefined;
}

/** By namespace: those that select workloads first, each part oldest first, which is the order in which they are asked. */
export type SidecarIndex = ReadonlyMap<string, readonly Sidecar[]>;

export function indexSidecars(objects: Iterable<ConfigObject>): SidecarIndex {
  const sorted = [...objects].sort(olderFirst);
  const byNamespace = Map.groupBy(sorted, ({ metadata }) => metadata.namespace);
  return new Map(
    [...byNamespace].map(([namespace, own]) => {
      const all = own.map(resolve);
      return [namespace, [...all.filter((it) => it.selector), ...all.filter((it) => !it.selector)]] as const;
    }),
  );
}

/** The first of the workload's namespace that is for it, else the root namespace's for everybody. */
export function findSidecar(
  index: SidecarIndex,
  rootNamespace: string,
  workload: { namespace: string; labels: Labels },
): Sidecar | undefined {
  const isFor = ({ selector }: Sidecar) => selector === undefined || matchesLabels(selector, workload.labels);
  return (
    index.get(workload.namespace)?.find(isFor) ??
    index.get(rootNamespace)?.find(({ selector }) => selector === undefined)
  );
}

export interface Imported {
  readonly services: VisibleServices;
  readonly virtualServices: VirtualServiceIndex;
}

/**
 * What a client sees through a Sidecar: the services and VirtualServices that its egress hosts take in, and services to which these
 * VirtualServices lead (Istio's `convertIstioListenerToWrapper` and `collectImportedServices`).
 */
export function imported(
  registry: ServiceRegistry,
  index: VirtualServiceIndex,
  sidecar: Sidecar,
  clientNamespace: string,
): Imported {
  const { egress } = sidecar;
  if (!egress) return { services: visibleServices(registry, clientNamespace), virtualServices: index };
  const takesIn = (namespace: string, host: string): boolean =>
    egress.some((it) => {
      const own = it.namespace === "." ? clientNamespace : it.namespace;
      return (own === "*" || own === namespace) && intersect(it.host, host) !== undefined;
    });
  const key = `imported ${sidecar.key} ${clientNamespace}`;
  const virtualServices = restrict(index, key, [sidecar], (it) => it.hosts.some((host) => takesIn(it.namespace, host)));
  const destinations = memo(virtualServices, `destinations ${clientNamespace}`, [], () =>
    destinationHosts(virtualServicesAt(virtualServices, meshGateway, clientNamespace)),
  );
  const services = memo(registry, key, [sidecar, destinations.join()], () => {
    const asked = visibleServices(registry, clientNamespace, ({ namespace, hostname }) => takesIn(namespace, hostname));
    const all = visibleServices(registry, clientNamespace);
    const led = destinations.flatMap((host): [string, Service][] => {
      const service = asked.has(host) ? undefined : all.get(host);
      return service ? [[host, service]] : [];
    });
    return new Map([...asked, ...led].sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return { services, virtualServices };
}

const destinationHosts = (all: readonly VirtualService[]): string[] => [...new Set(all.flatMap(destinationsOf))].sort();

const destinationsOf = (virtualService: VirtualService): readonly string[] =>
  memo(virtualService, "destination-hosts", [], () => {
    const { http, tcp, tls } = virtualService;
    const routes = [...http, ...tcp, ...tls].flatMap((rule) => rule.route ?? []);
    const mirrors = http.flatMap((rule) =>
      [rule.mirror ?? [], ...(rule.mirrors ?? []).map((it) => it.destination)].flat(),
    );
    return [...routes.map(({ destination }) => destination.host), ...mirrors.map(({ host }) => host)];
  });

function resolve(object: ConfigObject): Sidecar {
  return memo(object, "sidecar", [], () => {
    const { workloadSelector, egress, ingress, outboundTrafficPolicy } = object.spec as SidecarSpec;
    const labels = workloadSelector?.labels ?? {};
    return {
      key: `${object.metadata.namespace}/${object.metadata.name}`,
      selector: Object.keys(labels).length > 0 ? labels : undefined,
      egress: egress?.flatMap(({ hosts }) => hosts.map(egressHost)),
      ingress: ingress?.map(({ port, defaultEndpoint }) => ({
        port: port.number,
        protocol: parseProtocol(port.protocol),
        endpoint: defaultEndpoint === undefined ? undefined : endpointOf(defaultEndpoint),
      })),
      allowsAny: outboundTrafficPolicy?.mode === "ALLOW_ANY",
    };
  });
}

function egressHost(text: string): { namespace: string; host: string } {
  const slash = text.indexOf("/");
  return { namespace: text.slice(0, slash), host: text.slice(slash + 1).toLowerCase() };
}

/** `0.0.0.0` is the workload's own address in Istio, where the application then listens; here it listens on loopback. */
function endpointOf(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/[[\]]/g, "");
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return { address, port: Number(text.slice(colon + 1)) };
}
