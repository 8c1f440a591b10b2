import type { VirtualServiceSpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, keyOf } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { covers, isWildcard } from "../../../model/hostname.ts";
import { isHttpOrAuto } from "../../../model/protocol.ts";
import { meshGateway, type VirtualService } from "../../../model/virtual-service.ts";
import { nearby, unknownHost } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Rules inside of the mesh that hardly anybody meets: for hosts that nobody has, and for a protocol that their services don't speak. */
export function* unheardRules(object: ConfigObject, facts: Facts): Generator<Finding> {
  const own = facts.virtualService(keyOf(object));
  // At a gateway any name may come in, and it is the gateway's port that counts.
  if (!own?.gateways.every((name) => name === meshGateway)) return;
  const spec = object.spec as unknown as VirtualServiceSpec;
  yield* unknownHosts(own, spec, object.metadata.namespace, facts);
  yield* otherProtocol(own, spec, object, facts);
}

/** Sidecars know such a name, and at port 80 only, as Istio's do: it may be meant, and is more often a slip of the pen. */
function* unknownHosts(
  { hosts }: VirtualService,
  { http }: VirtualServiceSpec,
  viewer: string,
  facts: Facts,
): Generator<Finding> {
  const known = [...facts.hostnames()];
  for (const [index, host] of hosts.entries()) {
    const path = `spec.hosts[${index}]`;
    if (isWildcard(host) || facts.anywhere(host).length > 0) continue;
    if (known.some((one) => isWildcard(one) && covers(one, host))) continue;
    if (!http) {
      yield { path, ...unknownHost(host, viewer, facts, "rule") };
      continue;
    }
    const near = nearby(host, facts);
    yield { path, ...(near ? told("host-virtual-near", { host, near }) : told("host-virtual", { host })) };
  }
}

function* otherProtocol(
  { hosts }: VirtualService,
  { http, tcp }: VirtualServiceSpec,
  { metadata }: ConfigObject,
  facts: Facts,
): Generator<Finding> {
  const services = hosts.flatMap((host) => facts.covered(host, metadata.namespace));
  const ports = services.flatMap((service) => service.ports);
  const [first] = services;
  if (first === undefined || ports.length === 0) return;
  const host = first.hostname;
  if (http && !ports.some(({ protocol }) => isHttpOrAuto(protocol)))
    yield { path: "spec.http", ...told("rules-of-requests", { host }) };
  if (tcp && ports.every(({ protocol }) => isHttpOrAuto(protocol)))
    yield { path: "spec.tcp", ...told("rules-of-connections", { host }) };
}
