import { endsTls } from "../model/gateways.ts";
import { intersect } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { isTls, parseProtocol } from "../model/protocol.ts";
import { virtualServicesAt } from "../model/virtual-services.ts";
import { type BoundServer, sharedHosts } from "./gateway-routes.ts";
import { type L4Chain, tcpChains, tlsChains } from "./l4-chains.ts";
import { chainsAt } from "./l4-match.ts";
import type { Scope } from "./scope.ts";

/** The chains of a gateway's port, bound to `address`: of each server the rules of the VirtualServices bound to it, those for TLS within the server's hosts. */
export function gatewayChains(mesh: Mesh, scope: Scope, servers: readonly BoundServer[], address: string): L4Chain[] {
  const rules = servers.flatMap(({ gateway, server }) => {
    const context = { mesh, scope, port: server.port, gateway: gateway.key };
    const bound = virtualServicesAt(scope.virtualServices, gateway.key, scope.namespace).filter(
      (it) => sharedHosts(server, it).length > 0,
    );
    if (!isTls(parseProtocol(server.protocol)) || endsTls(server)) return bound.flatMap((it) => tcpChains(it, context));
    return bound
      .flatMap((it) => tlsChains(it, context))
      .map((chain) => ({
        ...chain,
        sniHosts: chain.sniHosts.flatMap((sni) => server.hosts.flatMap(({ host }) => intersect(host, sni) ?? [])),
      }))
      .filter((chain) => chain.sniHosts.length > 0);
  });
  return chainsAt(rules, address);
}
