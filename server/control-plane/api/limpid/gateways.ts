import { describeRule } from "../../../config/edits/index.ts";
import type { SecretCertificate, SecretStatus } from "../../../config/kinds/secret.ts";
import type { ConfigObject } from "../../../config/object.ts";
import {
  type GatewayList,
  type GatewayRoute,
  type GatewayServerView,
  type GatewayView,
  type RouteRule,
  type ServerCertificate,
  type ServiceLink,
  serviceLink,
} from "../../../contract/index.ts";
import { certificateSecret, entriesOf, secretName } from "../../../model/credentials.ts";
import { endsTls, type Gateway, type GatewayServer } from "../../../model/gateways.ts";
import { matchesLabels } from "../../../model/labels.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { originOf, type VirtualService } from "../../../model/virtual-service.ts";
import { sharedHosts } from "../../../translate/gateway-routes.ts";
import type { ApiContext, GatewayProxy } from "../context.ts";
import type { ApiResponse } from "../router.ts";

/** What is told of each Gateway: more routes than that are in its VirtualServices. */
const maxRoutes = 500;

/** `GET /limpid/v1/gateways`: every Gateway with its servers, their certificates, the proxies that run it and the routes that enter by it. */
export async function listGateways(context: ApiContext): Promise<ApiResponse> {
  const mesh = await context.mesh();
  const proxies = context.gatewayProxies();
  const links = new Map((await context.services()).map((service) => [service.hostname, serviceLink(service)]));
  const body: GatewayList = { gateways: mesh.gateways.map((gateway) => viewOf(mesh, gateway, proxies, links)) };
  return { status: 200, body };
}

function viewOf(
  mesh: Mesh,
  gateway: Gateway,
  connected: readonly GatewayProxy[] | undefined,
  links: ReadonlyMap<string, ServiceLink>,
): GatewayView {
  const proxies = connected?.filter(({ labels }) => matchesLabels(gateway.selector, labels));
  const bound = mesh.virtualServices.byGateway.get(gateway.key) ?? [];
  const namespaces = proxies?.length ? new Set(proxies.map(({ namespace }) => namespace)) : [gateway.namespace];
  return {
    namespace: gateway.namespace,
    name: gateway.name,
    selector: { ...gateway.selector },
    proxies: proxies
      ? [...new Map(proxies.map((one) => [`${one.namespace}/${one.canonicalService}`, one])).values()].map(
          ({ namespace, canonicalService }) => ({ namespace, app: canonicalService }),
        )
      : null,
    servers: gateway.servers.map((server, index) => serverOf(mesh, server, index, bound, [...namespaces])),
    routes: bound
      .filter((virtualService) => gateway.servers.some((server) => sharedHosts(server, virtualService).length > 0))
      .flatMap((virtualService) => routesOf(virtualService, links))
      .slice(0, maxRoutes),
  };
}

function serverOf(
  mesh: Mesh,
  server: GatewayServer,
  index: number,
  bound: readonly VirtualService[],
  namespaces: readonly string[],
): GatewayServerView {
  const { port, protocol, hosts, tls } = server;
  return {
    index,
    port,
    protocol,
    hosts: hosts.map(({ namespace, host }) => (namespace === "*" ? host : `${namespace}/${host}`)),
    tls: tls ? { mode: tls.mode ?? "NONE", httpsRedirect: tls.httpsRedirect } : null,
    certificates: endsTls(server) ? namespaces.flatMap((namespace) => certificatesOf(mesh, server, namespace)) : [],
    routedBy: bound
      .filter((virtualService) => sharedHosts(server, virtualService).length > 0)
      .map(({ namespace, name }) => `${namespace}/${name}`),
  };
}

function certificatesOf(mesh: Mesh, { tls }: GatewayServer, namespace: string): ServerCertificate[] {
  const { credentialName, credentialNames = [], serverCertificate, tlsCertificates = [] } = tls?.settings ?? {};
  const files = [serverCertificate, ...tlsCertificates.map((one) => one.serverCertificate)].filter(
    (file) => file !== undefined,
  );
  const names = [...(credentialName ? [credentialName] : []), ...credentialNames].map(secretName);
  return [
    ...names.map((name) => ofSecret(`${namespace}/${name}`, certificateSecret(mesh, namespace, name))),
    ...files.map((from) => ({ ...unknown, from, found: true })),
  ];
}

const unknown = { subject: null, issuer: null, names: [], notBeforeMs: null, notAfterMs: null };

function ofSecret(from: string, secret: ConfigObject | undefined): ServerCertificate {
  if (secret === undefined) return { ...unknown, from, found: false };
  const { chain } = entriesOf(secret).certificate ?? {};
  const known: readonly SecretCertificate[] = (secret.status as SecretStatus | undefined)?.certificates ?? [];
  const leaf = known.find(({ entry }) => entry === chain);
  if (leaf === undefined) return { ...unknown, from, found: true };
  const { subject, issuer, subjectAltNames, notBefore, notAfter } = leaf;
  const names = subjectAltNames.map((name) => name.replace(/^(?:DNS|IP Address):/, ""));
  return {
    from,
    found: true,
    subject,
    issuer,
    names,
    notBeforeMs: Date.parse(notBefore),
    notAfterMs: Date.parse(notAfter),
  };
}

function routesOf(virtualService: VirtualService, links: ReadonlyMap<string, ServiceLink>): GatewayRoute[] {
  const { source, hosts, http, tcp, tls } = virtualService;
  const route = (kind: GatewayRoute["kind"], rule: RouteRule, { metadata } = source): GatewayRoute => ({
    virtualService: { namespace: metadata.namespace, name: metadata.name },
    hosts: [...hosts],
    kind,
    rule,
    services: rule.destinations.map(({ host }) => links.get(host) ?? null),
  });
  return [
    ...http.map((rule, place) => {
      const written = originOf(virtualService, place);
      return route("http", describeRule(rule, written.index), written.source);
    }),
    ...[...tls.map((rule) => ["tls", rule] as const), ...tcp.map((rule) => ["tcp", rule] as const)].map(
      ([kind, rule], index) => {
        const matches = (rule.match ?? []).map((match) => {
          const sni = "sniHosts" in match ? (match.sniHosts as readonly string[]).join(", ") : "";
          return [sni, match.port === undefined ? "" : `port ${match.port}`].filter(Boolean).join(" ");
        });
        return route(kind, { ...describeRule({ route: rule.route }, index), matches });
      },
    ),
  ];
}
