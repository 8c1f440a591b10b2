import type { DestinationRuleSpec, ServiceEntrySpec, WorkloadEntrySpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { isWildcard } from "../../../model/hostname.ts";
import { matchesLabels } from "../../../model/labels.ts";
import { isTcp, parseProtocol } from "../../../model/protocol.ts";
import { unknownHost } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** A DestinationRule for a host that nobody has, or with subsets that nobody is in. */
export function* idleDestinationRule({ metadata, spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const rule = spec as unknown as DestinationRuleSpec;
  const host = facts.resolve(rule.host, metadata.namespace);
  // The root namespace's are for everybody, and so may be for what one namespace keeps to itself.
  const isForAll = metadata.namespace === facts.mesh.options.rootNamespace;
  const known = facts.covered(host, metadata.namespace).length > 0 || (isForAll && facts.anywhere(host).length > 0);
  if (!known) {
    yield { path: "spec.host", ...unknownHost(host, metadata.namespace, facts, "rule") };
    return;
  }
  const endpoints = facts.endpoints(host, metadata.namespace);
  if (isWildcard(host) || endpoints.length === 0) return;
  for (const [index, { name, labels = {} }] of (rule.subsets ?? []).entries()) {
    if (endpoints.some((own) => matchesLabels(labels, own))) continue;
    const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const nobody = { host, labels: wanted.join(", "), subset: name };
    yield { path: `spec.subsets[${index}].labels`, ...told("subset-nobody", nobody) };
  }
}

/** What Istio warns of in a ServiceEntry. */
export function* doubtfulServiceEntry({ spec }: ConfigObject): Generator<Finding> {
  const entry = spec as unknown as ServiceEntrySpec;
  const { hosts, ports = [], resolution = "NONE", workloadSelector } = entry;
  for (const [index, host] of hosts.entries()) {
    if (/^\*[^.]/.test(host)) yield { path: `spec.hosts[${index}]`, ...told("star-label", {}) };
  }
  if (workloadSelector && Object.keys(workloadSelector.labels ?? {}).length === 0) {
    yield { path: "spec.workloadSelector", ...told("selector-everybody", {}) };
  }
  if (workloadSelector && resolution === "NONE") {
    yield { path: "spec.workloadSelector", ...told("no-effect-with", { what: "resolution: NONE" }) };
  }
  for (const [index, { number, protocol }] of ports.entries()) {
    if (hosts.length < 2 || !isTcp(parseProtocol(protocol))) continue;
    yield { path: `spec.ports[${index}]`, ...told("hosts-alike", { count: hosts.length, port: number }) };
  }
  if (resolution === "STATIC" && !workloadSelector && (entry.endpoints ?? []).length === 0) {
    yield { path: "spec.endpoints", ...told("endpoints-none", {}) };
  }
}

/** One that is known by its network alone is reached through that network's gateway, which is not there. */
export function* unreachableWorkload({ spec }: ConfigObject): Generator<Finding> {
  const { address, network } = spec as WorkloadEntrySpec;
  if (!address) yield { path: "spec.address", ...told("address-unset", { network: String(network) }) };
}

/** Services that are neither HTTP nor TLS are told apart by their port alone: of several the oldest has it. docs/decisions/0005 */
export function* sharedTcpPorts(object: ConfigObject, facts: Facts): Generator<Finding> {
  const own = facts.servicesOf(object);
  const hosts = new Set(own.map(({ hostname }) => hostname));
  for (const [index, { port }] of (own[0]?.ports ?? []).entries()) {
    const rival = facts.tcpServices(port).find(({ hostname }) => !hosts.has(hostname));
    if (rival === undefined || !facts.tcpServices(port).some(({ hostname }) => hosts.has(hostname))) continue;
    yield { path: `spec.ports[${index}]`, ...told("tcp-port-shared", { host: rival.hostname, port }) };
  }
}
