import { memo } from "../lib/memo.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import type { Service } from "../model/service.ts";
import { proxyDomains, withPort } from "./domains.ts";
import type { Scope } from "./scope.ts";

/** A virtual host before its routes: a port of a service, or (undefined) of a host that only a VirtualService has. */
export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly domains: readonly string[];
  readonly service: Service | undefined;
}

/**
 * Which hosts answer on which domains, services first. It is the same while services and further hosts are, whatever their rules say: with
 * thousands of services this is most of the work that a changed rule would cause.
 */
export const layoutOf = (scope: Scope, further: readonly { host: string; port: number }[]): readonly Place[] => {
  const names = further.map(({ host, port }) => `${host}:${port}`).join();
  return memo(scope.services, `layout ${scope.domain} ${scope.namespace}`, [names], () =>
    withoutConflicts([
      ...[...scope.services.values()].flatMap((service) => placesOf(service, scope)),
      ...further.map(({ host, port }) => place(host, port, [], undefined, scope)),
    ]),
  );
};

export const placesByHost = (layout: readonly Place[]): ReadonlyMap<string, readonly Place[]> =>
  memo(layout, "by-host", [], () => Map.groupBy(layout, ({ host }) => host));

const placesOf = (service: Service, scope: Scope): Place[] =>
  service.ports
    .filter(({ protocol }) => isHttpOrAuto(protocol))
    .map(({ port }) => place(service.hostname, port, service.addresses, service, scope));

const place = (
  host: string,
  port: number,
  addresses: readonly string[],
  service: Service | undefined,
  scope: Scope,
): Place => ({
  name: `${host}:${port}`,
  host,
  port,
  domains: proxyDomains(host, addresses, port, scope.domain),
  service,
});

/** Envoy refuses a domain that stands twice: full names go before the short names of others, then the first has it. */
function withoutConflicts(places: readonly Place[]): Place[] {
  const names = new Map(
    places.flatMap((it) => withPort(it.host, it.port).map((name) => [name, it] as const)).reverse(),
  );
  const taken = new Set<string>();
  const left = new Map<string, Place>();
  for (const it of places) {
    const domains = [...new Set(it.domains)].filter((domain) => {
      const holder = names.get(domain);
      return !taken.has(domain) && (holder === undefined || holder === it);
    });
    for (const domain of domains) taken.add(domain);
    if (domains.length > 0 && !left.has(it.name)) left.set(it.name, { ...it, domains });
  }
  return [...left.values()];
}
