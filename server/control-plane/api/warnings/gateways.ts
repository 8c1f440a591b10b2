import type { GatewaySpec, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { suggest } from "../../../lib/suggest.ts";
import { intersect } from "../../../model/hostname.ts";
import { matchesLabels } from "../../../model/labels.ts";
import { gatewayName, meshGateway } from "../../../model/virtual-service.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Gateways that a VirtualService names and that don't exist, or have no server for its hosts: what comes there is answered 404. */
export function* missingGateways({ metadata, spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { gateways = [], hosts = [] } = spec as unknown as VirtualServiceSpec;
  for (const [index, name] of gateways.entries()) {
    if (name === meshGateway) continue;
    const key = gatewayName(name, metadata.namespace);
    const gateway = facts.gateway(key);
    if (gateway === undefined) {
      const near = suggest(
        key,
        facts.mesh.gateways.slice(0, maxCandidates).map((one) => one.key),
      );
      const missing = near
        ? told("gateway-missing-near", { gateway: key, near })
        : told("gateway-missing", { gateway: key });
      yield { path: `spec.gateways[${index}]`, ...missing };
      continue;
    }
    const open = gateway.servers.flatMap((server) => server.hosts);
    const letIn = hosts.some((host) =>
      open.some(
        (server) =>
          (server.namespace === "*" || server.namespace === metadata.namespace) &&
          intersect(server.host, facts.resolve(host, metadata.namespace)) !== undefined,
      ),
    );
    if (letIn) continue;
    const offered = [
      ...new Set(open.map(({ namespace, host }) => (namespace === "*" ? host : `${namespace}/${host}`))),
    ];
    const closed = {
      gateway: key,
      hosts: hosts.join(", "),
      namespace: metadata.namespace,
      offered: offered.slice(0, 5).join(", "),
    };
    yield { path: `spec.gateways[${index}]`, ...told("gateway-closed", closed) };
  }
}

const maxCandidates = 1_000;

/** One that no gateway proxy serves, so far as anybody knows them. */
export function* idleGateway({ spec }: ConfigObject, { gatewayProxies: proxies }: Facts): Generator<Finding> {
  const { selector = {} } = spec as unknown as GatewaySpec;
  if (proxies === undefined || proxies.some(({ labels }) => matchesLabels(selector, labels))) return;
  const wanted = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  yield { path: "spec.selector", ...told("gateway-idle", { labels: wanted.join(", ") }) };
}
